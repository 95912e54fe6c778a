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
import { fileInputs, type Invalidation } from './invalidation.js';
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
      const meanings = new Map<string, readonly Invalidation[]>();
      const zones = new Map<string, readonly string[]>();
      const said = saying((invalidations) => {
        health.event();
        for (const invalidation of invalidations) subscriber.next(invalidation);
      });

      const watched = new WatchSet({
        ...(watch !== undefined && { watch }),
        onChange: (path) => {
          const meaning = meanings.get(path);
          if (meaning !== undefined) said.add(path, meaning);
        },
        onEntry: (directory, name) => {
          if (directory !== zonesDir) return;
          for (const entry of name === undefined ? entriesOf(zonesDir, health) : [name]) {
            const zonename = zonenameOfXml(entry);
            if (zonename !== undefined && !zones.has(zonename))
              said.add(zonename, [{ type: 'zone', zonename, inputs: ['xml'] }]);
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
            const paths = fileInputs.map((input) => zoneFilePath(host, { zonename, zonepath }, input));
            if (zones.get(zonename)?.join() === paths.join()) return;
            unwatch(zonename);
            zones.set(zonename, paths);
            fileInputs.forEach((input, index) => {
              const path = paths[index] ?? '';
              meanings.set(path, meaningOf(zonename, input));
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
            said.add(request.zonename, [{ type: 'zone', zonename: request.zonename, inputs: fileInputs }]);
            return;
          case 'mend':
            watched.mend();
        }
      };

      health.running();
      watched.addDirectory(zonesDir, zonesDir);
      meanings.set(sysinfoPath(host), [{ type: 'sysinfo' }]);
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
        watched.close();
        watches = undefined;
      };
    }),
  };
}

/** What a changed file of a zone makes stale. Each invalidation is answered on its own: a file is read at once. */
function meaningOf(zonename: string, input: (typeof fileInputs)[number]): readonly Invalidation[] {
  const changed: Invalidation = { type: 'zone', zonename, inputs: [input] };
  // zonecfg and zoneadm write the XML also when the zone's state changes, and a lost sysevent shows in this.
  return input === 'xml' ? [changed, { type: 'zone', zonename, inputs: ['record', 'kstat'] }] : [changed];
}

/** Says what is new when the work at hand is done, each thing once: who asked for a watch is not to be told while it asks. */
function saying(say: (invalidations: readonly Invalidation[]) => void) {
  const waiting = new Map<string, readonly Invalidation[]>();
  return {
    add: (key: string, invalidations: readonly Invalidation[]) => {
      if (waiting.size === 0) {
        queueMicrotask(() => {
          const all = [...waiting.values()];
          waiting.clear();
          all.forEach(say);
        });
      }
      waiting.set(key, invalidations);
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
