/** What one would do without the daemon: read the host and assemble VMs, on each request. With the daemon's own parts. */
import { pino } from 'pino';
import { Subject, lastValueFrom, NEVER, of, takeUntil, filter } from 'rxjs';
import { createCache } from '../../lib/cache/cache.js';
import { HostState } from '../../lib/cache/host-state.js';
import { zoneLane } from '../../lib/cache/reload-zones.js';
import { createVmStore } from '../../lib/cache/vm-store.js';
import { createHost } from '../../lib/host/host.js';
import { zoneInputs } from '../../lib/sources/invalidation.js';

const log = pino({ level: 'silent' });

/** The JSON of a VM, read from the host. */
export async function assembleOne(root: string, zonename: string): Promise<Buffer> {
  const store = createVmStore();
  const state = new HostState({ store, watchRequests: new Subject(), log });
  state.isLoading = false;
  const request = { lane: 'zone', zonename, inputs: new Set(zoneInputs), datasets: true } as const;
  await lastValueFrom(zoneLane(createHost({ root }), state).run([request]));
  const stored = store.snapshot.value.vms.get(zonename);
  if (stored === undefined) throw new Error(`no VM ${zonename}`);
  return stored.bytes;
}

/** The JSON of all VMs, read from the host. */
export async function assembleAll(root: string): Promise<Buffer> {
  const cache = createCache({ host: createHost({ root }), log });
  const loaded = cache.snapshot.pipe(filter((snapshot) => snapshot.loaded));
  await lastValueFrom(cache.keep(NEVER, of('live')).pipe(takeUntil(loaded)), { defaultValue: undefined });
  const parts = [...cache.snapshot.value.vms.values()].flatMap(({ bytes }) => [bytes, Buffer.from(',')]);
  return Buffer.concat(parts);
}
