/**
 * The rescan timer: sysevents are best effort, so everything is read afresh from time to time.
 */
import { map, timer, type Observable } from 'rxjs';
import { rescanTimer } from '../config.js';
import type { EverythingInvalidation } from './invalidation.js';

/**
 * Emits soon after the start (at a random time, so that the hosts of a cloud do not scan in step), then every
 * `intervalMs`. Never completes.
 */
export function rescans(intervalMs: number): Observable<EverythingInvalidation> {
  const firstMs = Math.min(intervalMs, rescanTimer.firstMaxMs) * (0.5 + Math.random() / 2);
  return timer(firstMs, intervalMs).pipe(map(() => ({ type: 'everything', reason: 'timer' })));
}
