import type { VmObject } from '../../../lib/vm/vm-object.js';
import { vmKey } from '../../../lib/vm/vm-key.js';
import { initialModel, type TopModel } from '../../../lib/cli/top/model.js';

export const now = Date.parse('2026-11-27T12:00:00Z');

/** A model of a terminal of 80x24 with these VMs. */
export function aModel(vms: readonly VmObject[], overrides: Partial<TopModel> = {}): TopModel {
  const byName = new Map(vms.map((vm) => [vmKey(vm), vm]));
  const size = { columns: 80, rows: 24 };
  return { ...initialModel({ now, size, host: 'headnode', vms: byName }), ...overrides };
}
