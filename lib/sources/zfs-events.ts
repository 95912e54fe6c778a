/**
 * ZFS history sysevents: everything that changes a dataset, a snapshot or a property.
 */
import { mergeMap, type Observable } from 'rxjs';
import type { Host } from '../host/host.js';
import { zfsSyseventArgs } from '../host/sysevent.js';
import { fromSysevents } from './from-sysevents.js';
import type { SourceHealth } from './health.js';
import type { Invalidation } from './invalidation.js';
import { zfsInvalidations } from './zfs-invalidations.js';

/** Never completes and never fails. `everything` each time the subscription has become live. */
export function zfsEvents(host: Host, health: SourceHealth): Observable<Invalidation> {
  return fromSysevents({ host, args: zfsSyseventArgs, health }).pipe(
    mergeMap(
      (event): readonly Invalidation[] =>
        event.type === 'zfs' ? zfsInvalidations(event) : [{ type: 'everything', reason: 'zfs-events ready' }],
      1,
    ),
  );
}
