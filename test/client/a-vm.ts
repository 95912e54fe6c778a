import type { VmObject } from '../../lib/vm/vm-object.js';

export const uuids = {
  web: 'c4103a37-0000-4000-8000-000000000001',
  db: 'd5204b48-0000-4000-8000-000000000002',
  cache: 'e6305c59-0000-4000-8000-000000000003',
} as const;

/** A VM with all that is always there. */
export function aVm(overrides: Partial<VmObject> = {}): VmObject {
  const zonename = overrides.zonename ?? uuids.web;
  return {
    zonename,
    uuid: zonename,
    alias: 'web',
    brand: 'joyent-minimal',
    state: 'running',
    zone_state: 'running',
    zoneid: 12,
    hvm: false,
    resolvers: [],
    firewall_enabled: false,
    quota: 10,
    max_physical_memory: 256,
    nics: [],
    snapshots: [],
    customer_metadata: {},
    internal_metadata: {},
    tags: {},
    routes: {},
    last_modified: '2026-11-23T10:00:00.000Z',
    ...overrides,
  };
}
