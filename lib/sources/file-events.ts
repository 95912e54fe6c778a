/**
 * File events: the zone XMLs, each zone's config files and lastexited, and the sysinfo cache.
 *
 * It maps paths to zones and inputs; whether and how a file changed is for its reader to find out.
 */
import { dirname } from 'node:path';
import { Observable, Subscription } from 'rxjs';
import type { WatchedPath } from '../host/file-messages.js';
import type { FileEvent, TextReading } from '../host/files.js';
import type { Host } from '../host/host.js';
import { globalZone, sysinfoPath, zonenameOfXml, zonesDirectory } from '../host/paths.js';
import { parseZoneFiles, zoneFileRequest } from '../host/zone-files.js';
import type { SourceHealth } from './health.js';
import { zoneFiles, type ZoneFile } from '../vm/inputs.js';
import type { Invalidation } from './invalidation.js';

/** Which zones' files are to be watched; sent by the cache. */
export type WatchRequest =
  | { readonly type: 'watch'; readonly zonename: string; readonly zonepath: string }
  | { readonly type: 'unwatch'; readonly zonename: string }
  /** The zone's files were replaced as a whole (a rollback): watch and read what is there now. */
  | { readonly type: 'rearm'; readonly zonename: string }
  /** Look at all of them: a rescan mends what no event can. */
  | { readonly type: 'mend' };

export interface FileEventsOptions {
  readonly host: Host;
  readonly requests: Observable<WatchRequest>;
  readonly health: SourceHealth;
}

/**
 * The source of file events. Never completes, and fails only by a bug; what cannot be watched is polled, and the health
 * says so. Subscribe once; unsubscribing ends every watch.
 */
export function fileEvents({ host, requests, health }: FileEventsOptions): Observable<Invalidation> {
  return new Observable((subscriber) => {
    /** The zonepath of each watched zone. */
    const zones = new Map<string, string>();

    const say = (invalidation: Invalidation) => {
      health.event();
      subscriber.next(invalidation);
    };
    const sayChanged = (zonename: string, inputs: readonly ZoneFile[], texts?: readonly TextReading[]) => {
      const zonepath = zones.get(zonename) ?? '';
      const readings = texts && parseZoneFiles(host, { zonename, zonepath }, inputs, texts);
      say({ type: 'zone', source: 'file-events', zonename, inputs, readings });
    };

    const take = (event: FileEvent) => {
      switch (event.type) {
        case 'changed':
          if (event.zonename === globalZone) say({ type: 'sysinfo' });
          else if (zones.has(event.zonename))
            sayChanged(event.zonename, event.names as readonly ZoneFile[], event.readings);
          return;
        case 'stale':
          if (event.zonename === globalZone) say({ type: 'sysinfo' });
          else sayChanged(event.zonename, zoneFiles);
          return;
        case 'entries':
          for (const entry of event.entries) {
            const zonename = zonenameOfXml(entry);
            if (zonename !== undefined && !zones.has(zonename))
              say({ type: 'zone', source: 'file-events', zonename, inputs: ['xml'] });
          }
          return;
        case 'trouble':
          if (event.error === undefined) health.running();
          else health.degraded(event.error);
      }
    };

    const handle = (request: WatchRequest) => {
      switch (request.type) {
        case 'watch': {
          const { zonename, zonepath } = request;
          if (zones.get(zonename) === zonepath) return;
          zones.set(zonename, zonepath);
          host.files.watch(zonename, () => pathsOf(host, zonename, zonepath));
          return;
        }
        case 'unwatch':
          zones.delete(request.zonename);
          host.files.unwatch(request.zonename);
          return;
        case 'rearm': {
          const { zonename } = request;
          host.files.rearm(zonename);
          // After the current turn: the requester must not be called back while it makes its request.
          queueMicrotask(() => {
            say({ type: 'zone', source: 'file-events', zonename, inputs: zoneFiles });
          });
          return;
        }
        case 'mend':
          host.files.mend();
      }
    };

    const subscriptions = new Subscription();
    subscriptions.add(
      host.files.events.subscribe({
        next: take,
        error: (error: unknown) => {
          subscriber.error(error);
        },
      }),
    );
    host.files.watch(globalZone, () => ownPaths(host));
    subscriptions.add(requests.subscribe(handle));
    return () => {
      subscriptions.unsubscribe();
      for (const zonename of [globalZone, ...zones.keys()]) host.files.unwatch(zonename);
    };
  });
}

/** Where a zone's files are. A zone without a zonepath has only those in /etc/zones. */
function pathsOf(host: Host, zonename: string, zonepath: string): readonly WatchedPath[] {
  return zoneFiles.flatMap((name): readonly WatchedPath[] => {
    const request = zoneFileRequest(host, { zonename, zonepath }, name);
    if (request === undefined) return [];
    const { path, owner, within, isZoneXml } = request;
    const place = { name, path, top: dirname(within ?? path), ...(owner !== undefined && { owner }) };
    // zoneadmd truncates lastexited before it writes: whoever reads it at once finds it empty.
    if (name === 'lastexited') return [place];
    const reading = within === undefined ? { isZoneXml: isZoneXml === true } : { within };
    return [Object.assign(place, { reading })];
  });
}

/** What belongs to no zone: the directory in which new zones appear, and the sysinfo cache. */
function ownPaths(host: Host): readonly WatchedPath[] {
  const zones = host.path(zonesDirectory);
  const sysinfo = sysinfoPath(host);
  return [
    { name: 'zones', path: zones, top: zones, isDirectory: true },
    { name: 'sysinfo', path: sysinfo, top: dirname(sysinfo) },
  ];
}
