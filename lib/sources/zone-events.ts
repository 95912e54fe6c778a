/**
 * Zone sysevents: state changes from the kernel and zonecfg, and restarts of a zone's init.
 */
import { map, type Observable } from 'rxjs';
import type { Host } from '../host/host.js';
import { zoneSyseventArgs } from '../host/sysevent.js';
import { fromSysevents, type LiveSysevent } from './from-sysevents.js';
import type { SourceHealth } from './health.js';
import type { Invalidation } from './invalidation.js';

/** Never completes and never fails. `everything` each time the subscription has become live. */
export function zoneEvents(host: Host, health: SourceHealth): Observable<Invalidation> {
  return fromSysevents({ host, args: zoneSyseventArgs, health }).pipe(map(zoneInvalidation));
}

/** What one zone sysevent makes stale. Pure. */
export function zoneInvalidation(event: LiveSysevent): Invalidation {
  if (event.type !== 'zone') return { type: 'everything', reason: 'zone-events ready' };
  return {
    type: 'zone',
    source: 'zone-events',
    zonename: event.zonename,
    inputs: ['record', 'xml', 'kstat', 'lastexited'],
    ...(event.newstate !== undefined && { newstate: event.newstate }),
    ...(event.zoneid !== undefined && { zoneid: event.zoneid }),
  };
}
