/** Compares states of zones as the kernel and zonecfg announce them with those that zoneadm and kstat show. Pure. */
import type { ZoneKstat, ZoneRecord } from './inputs.js';

/** Whether the kernel has an instance of a zone; `zoneid` says so only for one that is ready or running. */
export function isInKernel({ state }: ZoneRecord): boolean {
  return kernelStates.has(state);
}

/** Whether a zone is installed: then its zonepath exists, and one that does not is a fault of the host. */
export function isInstalled(record: ZoneRecord | undefined): boolean {
  return record !== undefined && (record.state === 'installed' || isInKernel(record));
}

const kernelStates: ReadonlySet<string> = new Set(['ready', 'running', 'shutting_down', 'down', 'mounted']);

/**
 * Whether zoneadm shows what a zone sysevent announced, and kstat too: they are read side by side, so one may have been
 * read before the change and the other after it. zoneadm never shows some of the kernel's states.
 */
export function agrees(
  newstate: string,
  record: ZoneRecord | undefined,
  kstat: ZoneKstat | undefined,
): boolean {
  switch (newstate) {
    case 'uninitialized':
    case 'initialized':
      return true;
    case '':
      return record === undefined;
    case 'free':
      return (record === undefined || !isInKernel(record)) && kstat === undefined;
    case 'running':
      return record?.state === newstate && kstat?.zoneid === record.zoneid && kstat.initPid > 0;
    default:
      return record?.state === newstate;
  }
}
