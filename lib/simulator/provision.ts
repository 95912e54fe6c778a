/**
 * What vmadm does around zonecfg and zoneadm: a VM's datasets and files when it is created, and when it is deleted.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './files.js';
import type { Operator } from './operator.js';
import type { Paths } from './paths.js';
import { configFiles, hostFacts } from './scenario.js';
import { isHardware } from './vm-kinds.js';
import type { HostPlan, VmPlan } from './vm-plan.js';
import { runZfs } from './zfs-commands.js';
import { ZfsStore } from './zfs-store.js';
import { beginInstall, configure, finishInstall, writeXml } from './zone-commands.js';
import type { SimulatedZone } from './zone-store.js';
import { setAttr } from './zonecfg.js';

/** How long vmadm gives itself to provision, in seconds: the third part of the attr `transition`. */
const provisionTimeoutS = 300;

/** What the VMs of this host share. */
export function factsOf(paths: Paths): HostPlan {
  return hostFacts(Number(readFileSync(paths.seed, 'utf8')));
}

/** Creates a VM as planned, up to state installed: configuration, datasets, files, in this order. */
export function provision(operator: Operator, plan: VmPlan, target: 'running' | 'stopped'): SimulatedZone {
  const { paths, zones } = operator;
  const zone: SimulatedZone = {
    zonename: plan.zonename,
    uuid: plan.uuid,
    zonepath: plan.config.zonepath,
    state: 'configured',
    zoneid: null,
    initPid: 0,
    initRestarts: 0,
    bootTime: 0,
    config: plan.config,
  };
  const expire = Math.floor(Date.now() / 1000) + provisionTimeoutS;
  setAttr(zone.config, 'transition', `provisioning:${target}:${expire}`);
  configure(operator, zone);
  beginInstall(operator, zone);
  createDatasets(paths, plan);
  finishInstall(operator, zone);
  for (const [name, text] of Object.entries(configFiles(plan))) {
    replaceFile(join(paths.inTree(zone.zonepath), name), text);
  }
  setAttr(zone.config, 'transition', null);
  zones.put(zone);
  writeXml(operator, zone);
  return zone;
}

/** Destroys a VM's datasets: its disks in the old layout, then its root and all below. */
export function destroyDatasets(paths: Paths, zone: SimulatedZone): void {
  const root = zone.zonepath.slice(1);
  const oldLayoutDisks = zone.config.devices
    .map(({ match }) => match.replace('/dev/zvol/rdsk/', ''))
    .filter((dataset) => dataset.startsWith(`${root}-disk`));
  for (const name of [...oldLayoutDisks, root]) {
    const store = new ZfsStore(paths);
    const dataset = store.find(name);
    if (dataset === undefined) continue;
    // vmadm releases what makes a VM indestructible before it deletes it.
    for (const each of [dataset, ...store.below(name)]) {
      for (const snapshot of each.snapshots) {
        for (const tag of snapshot.holds) runZfs(paths, ['release', tag, `${each.name}@${snapshot.name}`]);
      }
    }
    runZfs(paths, ['destroy', '-r', name]);
  }
}

function createDatasets(paths: Paths, plan: VmPlan): void {
  const { pool } = factsOf(paths);
  const root = `${pool}/${plan.zonename}`;
  const image = `${pool}/${plan.imageUuid}`;
  const quota = ['-o', `quota=${plan.quotaGiB}g`];
  const refquota = plan.config.brand === 'bhyve' ? ['-o', 'refquota=10g'] : [];
  if (isHardware(plan.kind)) runZfs(paths, ['create', ...quota, ...refquota, root]);
  else runZfs(paths, ['clone', ...quota, '-o', 'devices=off', `${image}@final`, root]);
  for (const { dataset, size, fromImage } of plan.disks) {
    if (fromImage) runZfs(paths, ['clone', `${image}/disk0@final`, dataset]);
    else runZfs(paths, ['create', '-V', String(size), dataset]);
  }
  for (const name of plan.delegated) runZfs(paths, ['create', '-o', 'zoned=on', `${root}/${name}`]);
}
