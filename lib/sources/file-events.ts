/**
 * File events: the zone XMLs, each zone's config files and lastexited, and the sysinfo cache.
 *
 * It knows which zone and which input a path is; whether and how a file changed is for its reader to find out.
 */
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Observable, Subscription, interval } from 'rxjs';
import { fileWatches } from '../config.js';
import type { Host } from '../host/host.js';
import { sysinfoPath, zonenameOfXml, zoneFilePath, zonesDirectory } from '../host/paths.js';
import type { SourceHealth } from './health.js';
import { zoneFiles } from '../vm/inputs.js';
import type { Invalidation } from './invalidation.js';
import { WatchSet, type Watch } from './watch-set.js';

/** Which zones' files are to be watched; said by whoever knows the zones. */
export type WatchRequest =
  | { readonly type: 'watch'; readonly zonename: string; readonly zonepath: string }
  | { readonly type: 'unwatch'; readonly zonename: string }
  /** The zone's files were replaced as a whole (a rollback): watch and read what is there now. */
  | { readonly type: 'rearm'; readonly zonename: string }
  /** Look at all of them: a rescan mends what no event can. */
  | { readonly type: 'mend' };

/** Paths with and without a watch, for `/status?full=true`. */
export interface WatchStatus {
  readonly watching: readonly string[];
  readonly notWatching: readonly string[];
}

export interface FileEventsOptions {
  readonly host: Host;
  readonly requests: Observable<WatchRequest>;
  readonly health: SourceHealth;
  /** Replaces fs.watch, for a platform or a test where it behaves otherwise. */
  readonly watch?: Watch;
}

/** The source of file events. */
export interface FileEvents {
  /**
   * Never completes and never fails; what cannot be watched is polled, and the health says so. Subscribe once;
   * unsubscribing closes every watch.
   */
  readonly invalidations: Observable<Invalidation>;
  status(): WatchStatus;
}

/** Makes the source of file events. */
export function fileEvents(options: FileEventsOptions): FileEvents {
  let watches: WatchSet | undefined;
  return {
    status: () => watches?.status() ?? { watching: [], notWatching: [] },
    invalidations: new Observable((subscriber) => {
      const { host, requests, health, watch } = options;
      const zonesDir = host.path(zonesDirectory);
      const meanings = new Map<string, Invalidation>();
      const zones = new Map<string, readonly string[]>();
      const said = saying(queueMicrotask, (invalidation) => {
        health.event();
        subscriber.next(invalidation);
      });
      // A turn later: what is in the file is read and told before commands are started.
      const saidAfter = saying(setImmediate, (invalidation) => {
        subscriber.next(invalidation);
      });

      const watched = new WatchSet({
        ...(watch !== undefined && { watch }),
        onChange: (path) => {
          const meaning = meanings.get(path);
          if (meaning === undefined) return;
          said.add(path, meaning);
          if (meaning.type === 'zone' && meaning.inputs.includes('xml')) {
            // zonecfg and zoneadm write the XML also when the zone's state changes, and a lost sysevent shows in this.
            saidAfter.add(path, { ...meaning, inputs: ['record', 'kstat'] });
          }
        },
        onEntry: (directory, name) => {
          if (directory !== zonesDir) return;
          for (const entry of name === undefined ? entriesOf(zonesDir, health) : [name]) {
            const zonename = zonenameOfXml(entry);
            if (zonename !== undefined && !zones.has(zonename))
              said.add(zonename, { type: 'zone', source: 'file-events', zonename, inputs: ['xml'] });
          }
        },
        onTrouble: (error) => {
          if (error === undefined) health.running();
          else health.degraded(error);
        },
      });
      watches = watched;

      const unwatch = (zonename: string) => {
        for (const path of zones.get(zonename) ?? []) {
          watched.remove(path);
          meanings.delete(path);
        }
        zones.delete(zonename);
      };

      const handle = (request: WatchRequest) => {
        switch (request.type) {
          case 'watch': {
            const { zonename, zonepath } = request;
            if (zonepath === '') return;
            const paths = zoneFiles.map((input) => zoneFilePath(host, { zonename, zonepath }, input));
            if (zones.get(zonename)?.join() === paths.join()) return;
            unwatch(zonename);
            zones.set(zonename, paths);
            zoneFiles.forEach((input, index) => {
              const path = paths[index] ?? '';
              meanings.set(path, { type: 'zone', source: 'file-events', zonename, inputs: [input] });
              watched.addFile(
                path,
                path.startsWith(`${zonesDir}/`) ? zonesDir : dirname(host.path(zonepath)),
              );
            });
            return;
          }
          case 'unwatch':
            unwatch(request.zonename);
            return;
          case 'rearm':
            for (const path of zones.get(request.zonename) ?? []) watched.rearm(path);
            said.add(request.zonename, {
              type: 'zone',
              source: 'file-events',
              zonename: request.zonename,
              inputs: zoneFiles,
            });
            return;
          case 'mend':
            watched.mend();
        }
      };

      health.running();
      watched.addDirectory(zonesDir, zonesDir);
      meanings.set(sysinfoPath(host), { type: 'sysinfo' });
      watched.addFile(sysinfoPath(host), dirname(sysinfoPath(host)));

      const subscriptions = new Subscription();
      subscriptions.add(requests.subscribe(handle));
      subscriptions.add(
        interval(fileWatches.pollMs).subscribe(() => {
          watched.poll();
        }),
      );
      return () => {
        subscriptions.unsubscribe();
        said.drop();
        saidAfter.drop();
        watched.close();
        watches = undefined;
      };
    }),
  };
}

/** Says what is new when it is time, each thing once: who asks for a watch is not to be told while it asks. */
function saying(whenItIsTime: (act: () => void) => unknown, say: (invalidation: Invalidation) => void) {
  const waiting = new Map<string, Invalidation>();
  return {
    add: (key: string, invalidation: Invalidation) => {
      if (waiting.size === 0) {
        whenItIsTime(() => {
          const all = [...waiting.values()];
          waiting.clear();
          all.forEach(say);
        });
      }
      waiting.set(key, invalidation);
    },
    drop: () => {
      waiting.clear();
    },
  };
}

/** Empty when the directory is not there: a host without zones. */
function entriesOf(directory: string, health: SourceHealth): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') health.degraded(error as Error);
    return [];
  }
}
