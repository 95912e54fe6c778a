import tap from 'tap';
import { assemble } from '../../lib/vm/assemble.js';
import { diff } from '../../lib/vm/diff.js';
import type { JsonObject } from '../../lib/vm/json.js';
import { aVm, aZoneXml, someInputs, someUuid } from './factories.js';

void tap.test('the least a zone can have', (t) => {
  t.strictSame(assemble(someInputs()), { vm: aVm({ autoboot: true }), warnings: [] });
  t.end();
});

void tap.test('zoneadm', (t) => {
  void t.test('a zone that never ran and has neither zonepath nor debug id', (t) => {
    const record = { state: 'configured', zoneid: null, zonepath: '', zonedid: undefined };
    const { vm } = assemble(someInputs({ record }));
    t.equal(vm.zoneid, null);
    t.equal(vm.zone_state, 'configured');
    t.notOk('zonepath' in vm);
    t.notOk('zonedid' in vm);
    t.end();
  });
  void t.test('its word counts before the XML, where both have one', (t) => {
    const { vm } = assemble(someInputs({ record: { zonename: 'web', uuid: someUuid, brand: 'lx' } }));
    t.match(vm, { zonename: 'web', uuid: someUuid, brand: 'lx' });
    t.end();
  });
  t.end();
});

void tap.test('state', (t) => {
  const cases: readonly (readonly [zoneState: string, attrs: Record<string, string>, state: string])[] = [
    ['running', {}, 'running'],
    ['installed', {}, 'stopped'],
    ['configured', {}, 'configured'],
    ['incomplete', {}, 'incomplete'],
    ['ready', {}, 'ready'],
    ['shutting_down', {}, 'shutting_down'],
    ['down', {}, 'down'],
    ['mounted', {}, 'mounted'],
    ['installed', { provisioning: 'true' }, 'provisioning'],
    ['installed', { provisioning: 'false' }, 'stopped'],
    ['installed', { provisioning: 'yes' }, 'stopped'],
    ['running', { provisioning: 'true' }, 'running'],
    ['installed', { transition: 'provisioning:running:5' }, 'provisioning'],
    ['running', { transition: 'stopping:stopped:5' }, 'stopping'],
    ['installed', { transition: 'stopped:running:5', provisioning: 'true' }, 'provisioning'],
    ['installed', { transition: 'receiving:stopped:5', provisioning: 'true' }, 'receiving'],
    ['running', { failed: 'provisioning' }, 'failed'],
    ['installed', { failed: 'x', transition: 'receiving:stopped:5', provisioning: 'true' }, 'failed'],
    ['installed', { failed: '' }, 'stopped'],
  ];
  for (const [state, attrs, expected] of cases) {
    const { vm } = assemble(someInputs({ record: { state }, xml: aZoneXml({ attrs }) }));
    t.equal(vm.state, expected, `${state} ${JSON.stringify(attrs)}`);
    t.equal(vm.zone_state, state);
  }
  t.end();
});

void tap.test('transition', (t) => {
  const pick = (transition: string) => {
    const { vm } = assemble(someInputs({ xml: aZoneXml({ attrs: { transition } }) }));
    return [vm.state, vm.transition_to, vm.transition_expire, vm.transition];
  };
  t.strictSame(pick('stopping:stopped:1795428000123'), ['stopping', 'stopped', 1795428000123, undefined]);
  t.strictSame(pick('stopping:stopped:0'), ['stopping', 'stopped', 0, undefined]);
  for (const other of ['', 'stopping', 'stopping:stopped', 'a:b:1:2', 'a:b:soon', 'a:b:', ':b:1']) {
    t.strictSame(pick(other), ['running', undefined, undefined, other], JSON.stringify(other));
  }
  t.end();
});

void tap.test('kvm boots by vm-autoboot', (t) => {
  const autoboot = (attrs: Record<string, string>, brand = 'kvm') => {
    const { vm } = assemble(someInputs({ record: { brand }, xml: aZoneXml({ attrs }) }));
    return [vm.autoboot, vm.vm_autoboot];
  };
  t.strictSame(autoboot({ 'vm-autoboot': 'true' }), [true, undefined]);
  t.strictSame(autoboot({ 'vm-autoboot': 'false' }), [false, undefined]);
  t.strictSame(autoboot({}), [undefined, undefined]);
  t.strictSame(autoboot({ 'vm-autoboot': 'false' }, 'bhyve'), [true, false]);
  t.end();
});

void tap.test('disks are there, even if there are none, for hardware virtual machines', (t) => {
  for (const brand of ['bhyve', 'kvm']) {
    t.match(assemble(someInputs({ record: { brand } })).vm, { disks: [], hvm: true }, brand);
  }
  for (const brand of ['joyent', 'lx', 'builder']) {
    const { vm } = assemble(someInputs({ record: { brand } }));
    t.notOk('disks' in vm, brand);
    t.equal(vm.hvm, false);
  }
  t.end();
});

void tap.test('warnings', (t) => {
  const { vm, warnings } = assemble(
    someInputs({ record: { brand: 'zomg' }, xml: aZoneXml({ attrs: { foo: '1', ram: 'x' } }) }),
  );
  t.equal(vm.brand, 'zomg');
  t.strictSame({ ...vm, brand: 'joyent' }, aVm({ autoboot: true }), 'treated as joyent');
  t.strictSame(warnings, [
    'unknown brand zomg: treated as joyent',
    'zone XML: attr ram (not a number) is left out',
    'zone XML: attr foo is left out',
  ]);
  t.end();
});

void tap.test('lastexited', (t) => {
  const exited = (waitStatus: number, seconds = 5, microseconds = 5000, state = 'installed') => {
    const lastexited = { value: { seconds, microseconds, waitStatus }, mtimeMs: 0 };
    const { vm } = assemble(someInputs({ record: { state }, lastexited }));
    return [vm.exit_status, vm.exit_timestamp];
  };
  const fiveSeconds = '1970-01-01T00:00:05.005Z';
  t.strictSame(exited(0), [0, fiveSeconds]);
  t.strictSame(exited(-1), [0, fiveSeconds], 'unknown counts as 0');
  t.strictSame(exited(0x0100), [1, fiveSeconds]);
  t.strictSame(exited(0xff00), [255, fiveSeconds]);
  t.strictSame(exited(9), [-9, fiveSeconds], 'a signal');
  t.strictSame(exited(0x8b), [-139, fiveSeconds], 'a signal with a core dump');
  t.strictSame(exited(0, 1_600_000_000, 7), [0, '2020-09-13T12:26:40.000Z']);
  t.strictSame(exited(0, 1_600_000_000, 999_999), [0, '2020-09-13T12:26:40.999Z']);
  t.strictSame(exited(0, 1e30, 0), [0, undefined], 'no date');
  t.strictSame(exited(0, 5, 5000, 'running'), [undefined, undefined]);
  t.strictSame(exited(0, 5, 5000, 'ready'), [0, fiveSeconds]);

  const { vm } = assemble(
    someInputs({ record: { state: 'installed' }, lastexited: { value: undefined, mtimeMs: 9_000 } }),
  );
  t.notOk('exit_status' in vm, 'not well formed');
  t.equal(vm.last_modified, '1970-01-01T00:00:09.000Z');
  t.end();
});

void tap.test('last_modified is the newest of the files, in whole seconds', (t) => {
  for (const file of ['metadata', 'tags', 'routes'] as const) {
    const { vm } = assemble(someInputs({ [file]: { value: {}, mtimeMs: 1_600_000_000_999.9 } }));
    t.equal(vm.last_modified, '2020-09-13T12:26:40.000Z', file);
  }
  t.equal(assemble(someInputs()).vm.last_modified, '1970-01-01T00:00:01.000Z', 'the XML');
  t.end();
});

void tap.test('metadata without its keys, or with others', (t) => {
  const metadata = { value: { customer_metadata: ['no', 'object'], other: {} }, mtimeMs: 0 };
  t.match(assemble(someInputs({ metadata })).vm, { customer_metadata: {}, internal_metadata: {} });
  t.end();
});

void tap.test('kstat: a zone that is ready but not booted', (t) => {
  const kstat = { zonename: someUuid, zoneid: 12, initPid: 0, initRestarts: 0, bootTime: 0 };
  t.match(assemble(someInputs({ kstat })).vm, {
    pid: 0,
    init_restarts: 0,
    boot_timestamp: '1970-01-01T00:00:00.000Z',
  });
  t.end();
});

void tap.test('sysinfo: only what it has', (t) => {
  const { vm } = assemble(someInputs({ sysinfo: { UUID: 'server' } }));
  t.equal(vm.server_uuid, 'server');
  for (const name of ['datacenter_name', 'headnode_id', 'platform_buildstamp']) t.notOk(name in vm, name);
  t.end();
});

void tap.test('a tag named __proto__ is a tag like any other', (t) => {
  const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":"c"}') as JsonObject;
  const { vm } = assemble(someInputs({ tags: { value, mtimeMs: 0 } }));
  t.match(JSON.stringify(vm), '"tags":{"__proto__":{"polluted":true},"constructor":"c"}');
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);

  const { vm: without } = assemble(someInputs());
  t.strictSame(
    diff(without, vm).map(({ prettyPath, action }) => [prettyPath, action]),
    [
      ['tags.__proto__', 'added'],
      ['tags.constructor', 'added'],
    ],
  );
  t.strictSame(
    diff(vm, without).map(({ prettyPath, action }) => [prettyPath, action]),
    [
      ['tags.__proto__', 'removed'],
      ['tags.constructor', 'removed'],
    ],
  );
  t.end();
});

void tap.test('equal inputs give equal bytes, and no property is undefined', (t) => {
  const attrs = { ram: '1', transition: 'odd', docker: 'true' };
  const make = () => assemble(someInputs({ xml: aZoneXml({ attrs }) })).vm;
  t.equal(JSON.stringify(make()), JSON.stringify(make()));
  t.strictSame(JSON.parse(JSON.stringify(make())), make());
  t.end();
});
