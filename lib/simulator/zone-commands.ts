/**
 * What zonecfg, zoneadm and zoneadmd do to a zone, step by step in their order, each step with its sysevent. The kernel
 * publishes a change before the zone's state shows it; `stateLag` stretches that moment.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readCounters, writeCounters } from './counters.js';
import { removeFile, replaceFile, rewriteInPlace } from './files.js';
import type { Paths } from './paths.js';
import { initRestartLine, post, zoneStatusLine } from './sysevents.js';
import { renderZonecfg } from './zonecfg-xml.js';
import type { SimulatedZone, ZoneStore } from './zone-store.js';

/** What the commands work on. */
export interface ZoneTools {
  readonly paths: Paths;
  readonly zones: ZoneStore;
  /** What zoneadm waits for between the kernel's event and showing the new state. */
  readonly stateLag: () => Promise<unknown>;
}

/** zonecfg create and commit: `"" → configured`. */
export function configure(tools: ZoneTools, zone: SimulatedZone): void {
  tools.zones.put(zone);
  writeXml(tools, zone);
  tools.zones.updateIndex(zone.zonename, zone);
  publish(tools, 'zonecfg', zone, 'configured', '');
}

/** Writes the zone's XML as zonecfg does, by rename. */
export function writeXml(tools: ZoneTools, zone: SimulatedZone): void {
  replaceFile(tools.paths.zoneXml(zone.zonename), renderZonecfg(zone.config));
}

/** zoneadm install, up to where the brand's hook makes the datasets: `configured → incomplete`. */
export function beginInstall(tools: ZoneTools, zone: SimulatedZone): void {
  setLastingState(tools, zone, 'incomplete');
}

/** The end of zoneadm install: `incomplete → installed`. */
export function finishInstall(tools: ZoneTools, zone: SimulatedZone): void {
  mkdirSync(join(tools.paths.inTree(zone.zonepath), 'config'), { recursive: true });
  setLastingState(tools, zone, 'installed');
}

/** zoneadm boot. */
export async function boot(tools: ZoneTools, zone: SimulatedZone): Promise<void> {
  const counters = readCounters(tools.paths);
  const zoneid = counters.zoneid++;
  const initPid = counters.pid++;
  writeCounters(tools.paths, counters);
  Object.assign(zone, { zoneid, initPid: 0, bootTime: 0, initRestarts: 0 });

  publish(tools, 'kernel', zone, 'uninitialized', 'free');
  publish(tools, 'kernel', zone, 'initialized', 'uninitialized');
  publish(tools, 'kernel', zone, 'ready', 'initialized');
  await tools.stateLag();
  zone.state = 'ready';
  tools.zones.put(zone);
  // The kernel's state `booting` is published as ready.
  publish(tools, 'kernel', zone, 'ready', 'ready');
  publish(tools, 'kernel', zone, 'running', 'ready');
  await tools.stateLag();
  Object.assign(zone, { state: 'running', initPid, bootTime: Math.floor(Date.now() / 1000) });
  tools.zones.put(zone);
}

/** zoneadm halt; `waitStatus` is how the zone's init ended, in wait(2)'s format, which zoneadmd writes to lastexited. */
export async function halt(tools: ZoneTools, zone: SimulatedZone, waitStatus: number): Promise<void> {
  publish(tools, 'kernel', zone, 'shutting_down', 'running');
  await tools.stateLag();
  zone.state = 'shutting_down';
  tools.zones.put(zone);
  // empty, down and dying are published as shutting_down, too.
  publish(tools, 'kernel', zone, 'shutting_down', 'shutting_down');
  publish(tools, 'kernel', zone, 'shutting_down', 'shutting_down');
  await tools.stateLag();
  zone.state = 'down';
  tools.zones.put(zone);
  publish(tools, 'kernel', zone, 'shutting_down', 'shutting_down');
  publish(tools, 'kernel', zone, 'uninitialized', 'shutting_down');
  publish(tools, 'kernel', zone, 'free', 'uninitialized');
  await tools.stateLag();
  Object.assign(zone, { state: 'installed', zoneid: null });
  tools.zones.put(zone);
  writeLastExited(tools, zone, waitStatus);
}

/** zoneadmd notes when and how a zone halted: truncated, then written in place; the microseconds are not padded. */
export function writeLastExited(
  tools: ZoneTools,
  zone: SimulatedZone,
  waitStatus: number,
  nowMs = Date.now(),
): void {
  const microseconds = (nowMs % 1000) * 1000;
  const text = `${Math.floor(nowMs / 1000)}.${microseconds} ${waitStatus}\n`;
  rewriteInPlace(join(tools.paths.inTree(zone.zonepath), 'lastexited'), text);
}

/** The zone's init dies and the kernel restarts it. */
export function restartInit(tools: ZoneTools, zone: SimulatedZone): void {
  const counters = readCounters(tools.paths);
  zone.initPid = counters.pid++;
  zone.initRestarts += 1;
  writeCounters(tools.paths, counters);
  const { zonename, zoneid, initRestarts } = zone;
  post(tools.paths, 'zones', [initRestartLine({ zonename, zoneid: zoneid ?? -1, restarts: initRestarts })]);
  tools.zones.put(zone);
}

/** zonecfg set zonepath. Nothing is published. */
export function setZonepath(tools: ZoneTools, zone: SimulatedZone, zonepath: string): void {
  zone.zonepath = zonepath;
  zone.config.zonepath = zonepath;
  tools.zones.put(zone);
  tools.zones.updateIndex(zone.zonename, zone);
  writeXml(tools, zone);
}

/** The beginning of zoneadm uninstall, before the datasets are destroyed: `installed → incomplete`. */
export function beginUninstall(tools: ZoneTools, zone: SimulatedZone): void {
  setLastingState(tools, zone, 'incomplete');
}

/** The rest of zoneadm uninstall, and zonecfg delete: `incomplete → configured → ""`. */
export function unconfigure(tools: ZoneTools, zone: SimulatedZone): void {
  rmSync(tools.paths.inTree(zone.zonepath), { recursive: true, force: true });
  setLastingState(tools, zone, 'configured');
  removeFile(tools.paths.zoneXml(zone.zonename));
  tools.zones.remove(zone);
  tools.zones.updateIndex(zone.zonename, undefined);
  publish(tools, 'zonecfg', zone, '', 'configured');
}

/** A change that zonecfg publishes, which zoneadm shows at once. */
function setLastingState(
  tools: ZoneTools,
  zone: SimulatedZone,
  state: 'configured' | 'incomplete' | 'installed',
): void {
  const before = zone.state;
  zone.state = state;
  tools.zones.put(zone);
  tools.zones.updateIndex(zone.zonename, zone);
  publish(tools, 'zonecfg', zone, state, before);
}

function publish(
  tools: ZoneTools,
  publisher: 'kernel' | 'zonecfg',
  zone: SimulatedZone,
  newstate: string,
  oldstate: string,
): void {
  const zoneid = publisher === 'kernel' ? (zone.zoneid ?? -1) : -1;
  const event = { publisher, zonename: zone.zonename, newstate, oldstate, zoneid };
  post(tools.paths, 'zones', [zoneStatusLine(event)]);
}
