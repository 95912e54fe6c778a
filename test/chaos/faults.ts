/**
 * What goes wrong on a host: events lost, children killed or stopped, commands slow, stuck, broken or gone, files
 * unreadable, the daemon told to stop. Each kind is injected by one function, which returns how to end it.
 */
import type { WatchSource } from '../../lib/host/file-messages.js';
import { faultyWatch } from '../host/faulty-watch.js';
import { commandFaults } from './command-faults.js';
import { eventFaults, harmlessEvents } from './event-faults.js';
import { createFaultKit, type FaultKinds, type FaultsOptions, type Inject, type Undo } from './fault-kit.js';
import { fileFaults, fileRepair } from './file-faults.js';
import { stopFaults } from './stop-faults.js';

/** The faults of one host. */
export interface Faults {
  /** The kinds there are. */
  readonly kinds: readonly string[];
  /** Those after which nothing may change: they are over at once. */
  readonly harmless: readonly string[];
  /** Makes a fault. Its end is the caller's to call. */
  inject(kind: string): Promise<Undo>;
  /** For the daemon, instead of fs.watch. */
  readonly watch: WatchSource;
  /** Mends what faults left behind: files that cannot be parsed. */
  repair(): Promise<void>;
}

/** Sets up what can go wrong. */
export function createFaults(options: FaultsOptions): Faults {
  const { trail } = options;
  const kit = createFaultKit(options);
  const { kinds: watchKinds, watch } = watchFaults();
  const kinds: FaultKinds = {
    ...commandFaults(kit),
    ...eventFaults(kit),
    ...fileFaults(kit),
    ...watchKinds,
    ...stopFaults(kit),
  };
  return {
    kinds: Object.keys(kinds),
    harmless: Object.keys(harmlessEvents(kit)),
    watch,
    repair: fileRepair(kit),
    inject: async (kind) => {
      trail.fault(kind, '');
      const undo = await kinds[kind]?.();
      return async () => {
        await undo?.();
        if (undo !== undefined) trail.note(`fault ${kind} ends`);
      };
    },
  };
}

/** File events that are lost, and watches that the platform refuses. Several may do so at a time. */
function watchFaults(): { kinds: FaultKinds; watch: WatchSource } {
  const watch = faultyWatch();
  const during = (begin: () => void, end: () => void): Inject => {
    let times = 0;
    return () => {
      if (times++ === 0) begin();
      return () => {
        if (--times === 0) end();
      };
    };
  };
  const drop = (on: boolean) => () => {
    watch.drop(on);
  };
  const refuse = (code: 'ENOSPC' | undefined) => () => {
    watch.refuse(code);
  };
  return {
    kinds: {
      'file events dropped': during(drop(true), drop(false)),
      'file watches refused': during(refuse('ENOSPC'), refuse(undefined)),
    },
    watch: watch.source,
  };
}
