/** What an operator does with vminfod-sim gives exactly the events that it should, and nothing else. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import tap from 'tap';
import type { VmEvent, VmModifyEvent } from '../../lib/vm/event.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { eventually, startTestDaemon, type Listening, type TestDaemon } from './harness.js';

const program = fileURLToPath(new URL('../../sbin/vminfod-sim.js', import.meta.url));

void tap.test('vminfod-sim: each thing an operator does', async (t) => {
  const test = await startTestDaemon(t, { vms: 6 });
  const listening = await test.listen();
  const [web, bystander] = (await test.vms()).filter(
    ({ brand, state }) => brand !== 'bhyve' && state === 'running',
  );
  if (web === undefined || bystander === undefined) throw new Error('the simulated host has two running VMs');
  const sim = (...args: string[]) => operate({ test, listening, marker: bystander.zonename }, args);
  const { zonename } = web;

  await t.test('alias: one modify', async (t) => {
    const events = await sim('set', zonename, 'alias=renamed');
    t.match(events, [{ type: 'modify', zonename, uuid: web.uuid, vm: { alias: 'renamed' } }]);
    t.equal(events.length, 1);
    t.match(change(events[0], 'alias'), { action: 'changed', oldValue: web.alias, newValue: 'renamed' });
    t.strictSame(paths(events).filter(isNotTime), ['alias']);
  });

  await t.test('quota: one modify of quota alone', async (t) => {
    const events = await sim('zfs', 'set', 'quota=77g', `zones/${zonename}`);
    t.equal(events.length, 1);
    t.strictSame(changesOf(events[0]), [
      { prettyPath: 'quota', path: ['quota'], action: 'changed', oldValue: web.quota, newValue: 77 },
    ]);
  });

  await t.test('the same quota again: nothing', async (t) => {
    t.strictSame(await sim('zfs', 'set', 'quota=77g', `zones/${zonename}`), []);
  });

  await t.test('tag: one modify', async (t) => {
    const events = await sim('tag', zonename, 'role=frontend');
    t.equal(events.length, 1);
    t.match(change(events[0], 'tags.role'), { path: ['tags', 'role'], newValue: 'frontend' });
    t.strictSame(paths(events).filter(isNotTime), ['tags.role']);
  });

  await t.test('stop: modifies that end in stopped, with the exit status', async (t) => {
    const events = await sim('stop', zonename);
    t.match(events.at(-1), {
      type: 'modify',
      vm: { state: 'stopped', zone_state: 'installed', zoneid: null },
    });
    const stopped = await test.vm(zonename);
    t.match(stopped, { exit_status: 0, exit_timestamp: /^\d{4}-.*Z$/ });
    t.notOk('pid' in stopped || 'boot_timestamp' in stopped || 'init_restarts' in stopped);
    t.strictSame(paths(events).filter(isNotTime), [
      'boot_timestamp',
      'exit_status',
      'exit_timestamp',
      'init_restarts',
      'pid',
      'state',
      'zone_state',
      'zoneid',
    ]);
  });

  await t.test('start: modifies that end in running', async (t) => {
    const events = await sim('start', zonename);
    t.match(events.at(-1), {
      type: 'modify',
      vm: { state: 'running', zone_state: 'running', zoneid: Number },
    });
    const running = await test.vm(zonename);
    t.match(running, { pid: Number, boot_timestamp: String, init_restarts: 0 });
    t.notOk('exit_status' in running || 'exit_timestamp' in running);
    t.strictSame(paths(events).filter(isNotTime), [
      'boot_timestamp',
      'exit_status',
      'exit_timestamp',
      'init_restarts',
      'pid',
      'state',
      'zone_state',
      'zoneid',
    ]);
  });

  await t.test('create: one create, and modifies up to the running VM', async (t) => {
    const events = await sim('create', '--brand', 'bhyve');
    const created = events.filter(({ type }) => type === 'create');
    t.equal(created.length, 1);
    t.equal(events[0]?.type, 'create');
    const made = events[0]?.zonename ?? '';
    t.ok(events.every((event) => event.zonename === made && event.type !== 'delete'));
    t.match(await test.vm(made), { brand: 'bhyve', state: 'running', zpool: 'zones', quota: Number });
    t.match((await test.vm(made)).disks, [{ size: Number }, { size: Number }]);
  });

  await t.test('destroy: one delete at the end', async (t) => {
    const events = await sim('destroy', zonename);
    t.match(events.at(-1), { type: 'delete', zonename, uuid: web.uuid });
    t.equal(events.filter(({ type }) => type === 'delete').length, 1);
    t.ok(events.every((event) => event.zonename === zonename && event.type !== 'create'));
    t.equal((await test.get(`/vms/${zonename}`)).status, 404);
  });

  t.strictSame(
    sorted(listening.replayed().values()),
    sorted(await test.vms()),
    'replayed, the events give /vms',
  );
  t.notOk(listening.events.some((event) => event.type === 'modify' && event.changes.length === 0));
});

/** Runs vminfod-sim, and resolves with the events that came of it: then nothing more is on its way. */
async function operate({ test, listening, marker }: Stage, args: readonly string[]): Promise<VmEvent[]> {
  const from = listening.events.length;
  await execa(process.execPath, [program, '--root', test.host.root, ...args]);
  await nothingUnderWay({ test, listening, marker });
  return listening.events.slice(from).filter(({ zonename }) => zonename !== marker);
}

interface Stage {
  readonly test: TestDaemon;
  readonly listening: Listening;
  /** A VM that is not operated on. */
  readonly marker: string;
}

/** A change by each source after the operation, and then a daemon with nothing to read: whatever was to come has. */
async function nothingUnderWay({ test, listening, marker }: Stage): Promise<void> {
  const { host } = test;
  const from = listening.events.length;
  const quota = from + 1000;
  await host.setTags(marker, { from });
  await host.zfs('set', `quota=${quota}g`, `zones/${marker}`);
  await host.restartInit(marker);
  const seen = (holds: (vm: VmObject, event: VmModifyEvent) => boolean) =>
    listening.until(
      (event) => event.type === 'modify' && event.zonename === marker && holds(event.vm, event),
      from,
    );
  await seen((vm) => vm.tags['from'] === from);
  await seen((vm) => vm.quota === quota);
  await seen((_vm, event) => event.changes.some(({ prettyPath }) => prettyPath === 'init_restarts'));
  await eventually(async () => (await test.status()).queue.idle, 'the daemon has nothing to read');
}

function changesOf(event: VmEvent | undefined): VmModifyEvent['changes'] {
  return event?.type === 'modify' ? event.changes : [];
}

function change(event: VmEvent | undefined, prettyPath: string) {
  return changesOf(event).find((each) => each.prettyPath === prettyPath);
}

/** It has whole seconds: two changes in one second look like one. */
function isNotTime(path: string): boolean {
  return path !== 'last_modified';
}

/** What changed, each path once, sorted. */
function paths(events: readonly VmEvent[]): string[] {
  return [...new Set(events.flatMap((event) => changesOf(event).map(({ prettyPath }) => prettyPath)))].sort();
}

function sorted(vms: Iterable<VmObject>): VmObject[] {
  return [...vms].sort((a, b) => a.zonename.localeCompare(b.zonename));
}
