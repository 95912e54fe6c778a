import type { VmObject } from '../../lib/vm/vm-object.js';
import { aVm as plainVm } from '../vm/factories.js';

export const uuids = {
  web: 'c4103a37-0000-4000-8000-000000000001',
  db: 'd5204b48-0000-4000-8000-000000000002',
  cache: 'e6305c59-0000-4000-8000-000000000003',
} as const;

/** A VM that an operator would know: with an alias, a quota and memory. Its uuid is its zonename. */
export function aVm({ zonename = uuids.web, ...overrides }: Partial<VmObject> = {}): VmObject {
  return plainVm({
    zonename,
    uuid: zonename,
    alias: 'web',
    quota: 10,
    max_physical_memory: 256,
    ...overrides,
  });
}
