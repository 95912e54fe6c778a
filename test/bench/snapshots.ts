/**
 * snapshots: a VM with 20,000 snapshots, one with 5 MB of metadata and one with 1,000 nics, among others: how soon a change of it is told, beside the
 * one command that the change needs, how long it holds the event loop, and whether others notice. On the smallest host only.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { createSimulatedHost, type SimulatedHost } from '../../lib/simulator/index.js';
import { openBareCommands } from './bare.js';
import { aliasChange, quotaChange, snapshotChange, tagChange, type Change } from './changes.js';
import { startDaemonProcess } from './daemon-process.js';
import { openEventStream } from './event-stream.js';
import type { Measurement } from './measurement.js';
import { figure, single, type Figure } from './report.js';
import { median } from './statistics.js';

const maxVms = 50;
const rounds = 15;
const snapshotCount = 20_000;
const snapshotsPerCommand = 2_000;
const metadataBytes = 5 * 1024 * 1024;
const nicCount = 1_000;
/** After a change, so that what it has left to do is not put down to the next. */
const gapMs = 50;

export const measureSnapshots: Measurement = async ({ vms }) => {
  if (vms > maxVms) return [];
  const host = await createSimulatedHost({ vms });
  try {
    return await measureOn(host);
  } finally {
    await host.remove();
  }
};

async function measureOn(host: SimulatedHost): Promise<readonly Figure[]> {
  const [manyName = '', largeName = '', otherName = '', ...names] = host
    .zonenames()
    .filter((zonename) => host.zone(zonename).state === 'running');
  const root = `zones/${manyName}`;
  const snapshots = Array.from(
    { length: snapshotCount },
    (_, n) => `${root}@vmsnap-${String(n).padStart(6, '0')}`,
  );
  for (let at = 0; at < snapshots.length; at += snapshotsPerCommand) {
    await host.zfs('snapshot', ...snapshots.slice(at, at + snapshotsPerCommand));
  }
  const crowdedName = names.find((name) => addNics(host, name)) ?? '';
  const keys = Array.from({ length: metadataBytes / 1024 }, (_, n): [string, string] => [
    `key${n}`,
    'x'.repeat(1_000),
  ]);
  await host.setMetadata(largeName, 'customer_metadata', Object.fromEntries(keys));

  const daemon = await startDaemonProcess(host.root);
  const stream = await openEventStream(daemon.url);
  const commands = openBareCommands(host);
  const all = await daemon.vms();
  const vmOf = (name: string) => all.filter(({ zonename }) => zonename === name);
  const [many, large, other, crowded] = [manyName, largeName, otherName, crowdedName].flatMap(vmOf);
  if (!many || !large || !other || crowded?.nics.length !== nicCount) throw new Error('too few VMs run');

  const latencies = new Map<string, number[]>();
  const holds = new Map<string, number[]>();
  const note = (where: Map<string, number[]>, what: string, ms: number) =>
    where.set(what, [...(where.get(what) ?? []), ms]);
  /** Makes a change, and another of some other VM right after it. */
  const measure = async (what: string, change: Change, besides?: Change) => {
    await wait(gapMs);
    await daemon.usage();
    const seen = stream.until((event) => change.fits(event));
    const besidesSeen = besides && stream.until((event) => besides.fits(event));
    const at = performance.now();
    change.make();
    besides?.make();
    if (besidesSeen !== undefined) note(latencies, 'other, meanwhile', (await besidesSeen) - at);
    note(latencies, what, (await seen) - at);
    await wait(gapMs);
    note(holds, what, (await daemon.usage()).longestMs);
  };
  try {
    for (let round = 0; round <= rounds; round++) {
      if (round === 1) for (const figures of [latencies, holds]) figures.clear(); // The first warms up.
      await measure('other', tagChange(host, other));
      await measure('quota', await quotaChange(host, many));
      note(latencies, 'zfs', await commands.zfsRowMs(root));
      await measure('both', await quotaChange(host, many), tagChange(host, other));
      await measure('large', await quotaChange(host, large));
      await measure('new', await snapshotChange(host, many));
      await measure('alias', aliasChange(host, crowded));
    }
  } finally {
    commands.close();
    stream.close();
    await daemon.stop();
  }
  const of = (what: string) => latencies.get(what) ?? [];
  const held = (name: string, what: string, atMost?: number) =>
    figure(
      `held the event loop: ${name}`,
      'ms',
      holds.get(what) ?? [],
      atMost === undefined ? undefined : { atMost },
    );
  return [
    figure('quota of a VM with 20,000 snapshots', 'ms', of('quota')),
    figure('beside: zfs list of its row', 'ms', of('zfs')),
    single('quota, times its zfs list', '×', median(of('quota')) / median(of('zfs')), { atMost: 2 }),
    figure('a new snapshot of it', 'ms', of('new')),
    figure('quota of a VM with 5 MB of metadata', 'ms', of('large')),
    figure('alias of a VM with 1,000 nics', 'ms', of('alias')),
    figure('tag of another VM, idle', 'ms', of('other')),
    figure('tag of another VM, meanwhile', 'ms', of('other, meanwhile')),
    held('that quota', 'quota', 20),
    held('that snapshot', 'new', 20),
    held('that quota, of 5 MB', 'large', 20),
    held('that alias', 'alias', 20),
    held('that tag, idle', 'other'),
  ];
}

/** Copies of a zone's first nic, each with a MAC of its own, instead of its nics. False when it has none. */
function addNics(host: SimulatedHost, zonename: string): boolean {
  const path = host.xmlFile(zonename);
  const text = readFileSync(path, 'utf8');
  const [nic] = /<network (?:[^<]|<net-attr)*<\/network>/.exec(text) ?? [];
  if (nic === undefined) return false;
  const copies = Array.from({ length: nicCount }, (_, n) => {
    const end = [n >> 8, n & 0xff].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    return nic.replace(/(mac-addr="[^"]{12})[^"]*/, `$1${end}`).replace(/(physical=")[^"]*/, `$1net${n}`);
  });
  writeFileSync(path, text.replace(/<network [^]*<\/network>/, copies.join('')));
  return true;
}
