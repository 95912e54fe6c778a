import tap from 'tap';
import type { StreamEvent } from '../../lib/client/events.js';
import { OneOfEach } from '../../lib/fleet/one-of-each.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { aVm } from '../client/a-vm.js';

const on = (server_uuid: string, state: VmObject['state'], more: object = {}): VmObject => ({
  ...aVm({ zonename: 'z', uuid: 'z', server_uuid, state }),
  ...more,
});
const common = { date: '2026-11-27T12:00:00.000Z', zonename: 'z', uuid: 'z' };
const modified = (vm: VmObject): StreamEvent => ({
  ...{ type: 'modify', ...common, server_uuid: vm.server_uuid ?? '', vm, changes: [] },
});
const deleted = (server_uuid: string): StreamEvent => ({ type: 'delete', ...common, server_uuid });

void tap.test('of a VM on two hosts, one is shown, and it is gone when the last is', (t) => {
  const one = new OneOfEach();
  const shown = (event: StreamEvent) => {
    const [current, ...others] = one.take(event);
    t.strictSame(others, []);
    return current?.vm?.server_uuid;
  };
  const ready = { type: 'ready', date: common.date, uuid: 'u' } as const;
  t.equal(shown({ ...ready, vms: [on('a', 'running'), on('b', 'stopped')] }), 'a', 'the running one');
  t.equal(shown(modified(on('a', 'stopped', { stale: 'since' }))), 'b', 'the fresh one');
  t.equal(shown(modified(on('a', 'running', { stale: 'since' }))), 'a', 'running goes before fresh');
  t.equal(shown(modified(on('b', 'running'))), 'b');
  t.equal(shown(deleted('b')), 'a', 'the other one');
  t.equal(shown(deleted('b')), 'a', 'again');
  t.equal(shown(deleted('a')), undefined, 'none');
  t.equal(shown(modified(on('c', 'stopped'))), 'c', 'it is back');
  t.end();
});
