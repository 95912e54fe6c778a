import tap, { type Test } from 'tap';
import { diff } from '../../lib/vm/diff.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { eventLog as logLimits } from '../../lib/config.js';
import { aVm, uuids } from '../client/a-vm.js';
import { FakeDaemon } from '../client/fake-daemon.js';
import { aSmallVm, instance, serve } from '../http/serve.js';
import { run } from './run.js';

const date = '2026-11-23T17:19:03.015Z';

type SomeEvent = Readonly<Record<string, unknown>> & { readonly type: string };

/** What `vminfo events` prints of one event that is sent to it. */
async function printed(t: Test, event: SomeEvent, argv: string[] = [], isTTY = false): Promise<string> {
  const daemon = await FakeDaemon.start(t, { vms: event.type === 'create' ? [] : [aVm()] });
  const running = run(daemon.url, ['events', '-1', ...argv], { isTTY });
  await daemon.listening();
  daemon.raw(`${JSON.stringify({ date, zonename: uuids.web, uuid: uuids.web, ...event })}\n`);
  daemon.overflow();
  const { status, stdout, stderr } = await running;
  t.equal(status, 1);
  t.equal(stderr, 'vminfo: VminfodEventStream ended prematurely\n');
  return stdout;
}

const create = { type: 'create', vm: aVm({ alias: 'foo' }) };
const change = { prettyPath: 'quota', path: ['quota'], action: 'changed', oldValue: 10, newValue: 20 };
const modify = { type: 'modify', vm: aVm({ alias: 'foo' }), changes: [change] };
const added = { prettyPath: 'tags[a.b]', path: ['tags', 'a.b'], action: 'added', newValue: { x: ['y'] } };
const removed = { prettyPath: 'alias', path: ['alias'], action: 'removed', oldValue: '\u001b[2J\u009b' };
const head = '[17:19:03.015Z] c4103a37 foo';

const lines: { name: string; event: SomeEvent; argv?: string[]; text: string }[] = [
  { name: 'create', event: create, text: `${head} create\n` },
  { name: 'delete', event: { type: 'delete' }, text: '[17:19:03.015Z] c4103a37 web delete\n' },
  { name: 'modify', event: modify, text: `${head} modify: quota changed :: 10 -> 20\n` },
  {
    name: 'a line a change, values as JSON, nothing that controls the terminal',
    event: { ...modify, changes: [removed, added] },
    text:
      `${head} modify: alias removed :: "\\u001b[2J\\u009b" -> undefined\n` +
      `${head} modify: tags[a.b] added :: undefined -> {"x":["y"]}\n`,
  },
  { name: '-f', event: create, argv: ['-f'], text: `[${date}] ${uuids.web} foo create\n` },
  {
    name: '-j',
    event: create,
    argv: ['-j'],
    text: `${JSON.stringify({ date, zonename: uuids.web, uuid: uuids.web, ...create })}\n`,
  },
  { name: '--type', event: create, argv: ['--type', 'modify,delete'], text: '' },
  { name: '--type that it has', event: create, argv: ['--type', 'create'], text: `${head} create\n` },
  {
    name: 'of the VM',
    event: modify,
    argv: [uuids.web],
    text: `${head} modify: quota changed :: 10 -> 20\n`,
  },
];
for (const { name, event, argv, text } of lines) {
  void tap.test(`an event: ${name}`, async (t) => {
    t.equal(await printed(t, event, ['--classic', ...(argv ?? [])]), text);
  });
}

const aliases: [string, string][] = [
  ['', '-'],
  ['x'.repeat(30), 'x'.repeat(30)],
  ['x'.repeat(31), `${'x'.repeat(27)}...`],
  ['a\nb\u001b', 'a\\u000ab\\u001b'],
];
void tap.test('an alias is cut to 30, and escaped', async (t) => {
  for (const [alias, shown] of aliases) {
    t.equal(
      await printed(t, { type: 'create', vm: aVm({ alias }) }, ['--classic']),
      `[17:19:03.015Z] c4103a37 ${shown} create\n`,
    );
  }
});

void tap.test('-r prints the ready event, with -j as on the wire', async (t) => {
  t.match(await printed(t, { type: 'delete' }, ['-r']), /^\[\d\d:\d\d:\d\d\.\d{3}Z\] ready\n/);
  const [line = ''] = (await printed(t, { type: 'delete' }, ['-jr'])).split('\n');
  const ready = JSON.parse(line) as { type: string; vms: string };
  t.equal(ready.type, 'ready');
  t.strictSame(JSON.parse(ready.vms), [aVm()]);
});

void tap.test('colours are for terminals that want them', async (t) => {
  const colour = /\u001b\[\d+m/;
  t.match(await printed(t, create, [], true), colour);
  t.notMatch(await printed(t, create, [], false), colour);
  const daemon = await FakeDaemon.start(t);
  const quiet = await run(daemon.url, ['doctor'], { isTTY: true, env: { NO_COLOR: '1' } });
  t.notMatch(quiet.stdout, colour);
});

void tap.test('reconnects, and says so on stderr', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const running = run(daemon.url, ['events', '--classic', uuids.web]);
  await daemon.listening();
  daemon.dropConnections();
  await daemon.listening(0);
  daemon.change(uuids.web, { quota: 20 });
  await daemon.listening();
  daemon.raw('garbage that ends it\n');
  const { stdout, stderr } = await running;
  t.match(stdout, /modify: quota changed :: 10 -> 20/);
  t.match(stderr, /^vminfo: lost, reconnecting: .*\nvminfo: an event line is not JSON/);
});

void tap.test('for people: a verb, what follows folded, secrets masked', async (t) => {
  const before = aVm({ alias: 'web1', state: 'running', pid: 7, internal_metadata: { root_pw: 'sesame' } });
  const after = aVm({
    alias: 'web1',
    state: 'stopped',
    exit_status: 0,
    quota: 73,
    internal_metadata: { root_pw: 'sesame2' },
  });
  const event = { type: 'modify', vm: after, changes: diff(before, after) };
  const told = (...argv: string[]) => printed(t, event, argv);
  const time = String.raw`\d\d:\d\d:\d\d`;
  const people = await told();
  t.match(people, new RegExp(`^${time} web1 +stopped \\(exit 0\\)\n`));
  t.match(people, /internal metadata root_pw changed \(\*{8}\)\n\S+ web1 quota 10 -> 73 GiB\n$/);
  t.notMatch(people, /pid/);
  t.match(await told('-v'), /pid removed \(was 7\)/);
  t.match(await told('-f'), new RegExp(`^${date.replaceAll('.', '\\.')} ${uuids.web} web1 stopped`));
  for (const argv of [[], ['-v'], ['-j'], ['--classic']])
    t.notMatch(await told(...argv), /sesame/, argv.join(''));
  t.match(await told('--show-secrets'), /root_pw sesame -> sesame2/);
  t.match(await told('-j', '--show-secrets'), /sesame2/);
  t.equal(await told('--path', 'tags'), '');
  t.match(await told('--path', 'state'), /stopped/);
});

void tap.test('a VM that is gone is told by its alias', async (t) => {
  t.match(await printed(t, { type: 'delete' }), /^\d\d:\d\d:\d\d \S+ +deleted\n$/);
});

void tap.test('what is no VM, may be several, or is a wrong filter, is an error at once', async (t) => {
  const daemon = await FakeDaemon.start(t, {
    vms: [aVm({ alias: 'one' }), aVm({ zonename: uuids.db, uuid: uuids.db, alias: 'one' })],
  });
  const cases: [string[], RegExp, number][] = [
    [['events', 'nosuch'], /no VM has the UUID, the alias or the beginning of a UUID "nosuch"/, 1],
    [['events', 'one'], /one may be any of 2 VMs:\n {2}c4103a37\S+ {2}one\n/, 1],
    [['events', 'ram>=big'], /ram: expected a number/, 2],
    [['events', '--path', 'colour'], /unknown property: colour/, 2],
    [['events', '00000000-0000-0000-0000-000000000000'], /No such zone configured/, 1],
    [['get', 'nosuch'], /no VM has/, 1],
    [['wait', 'nosuch', 'state=running'], /no VM has/, 1],
    [['diff', 'nosuch'], /no VM has/, 1],
    [['sync', 'nosuch'], /no VM has/, 1],
    [['lookup', 'nosuch'], /no VM has/, 1],
  ];
  for (const [argv, stderr, status] of cases)
    t.match(await run(daemon.url, argv), { status, stderr }, argv.join(' '));
  const prefix = uuids.web.slice(0, 6);
  t.equal((JSON.parse((await run(daemon.url, ['get', prefix])).stdout) as VmObject).uuid, uuids.web);
  t.equal((await run(daemon.url, ['lookup', prefix])).stdout, `${uuids.web}\n`);
});

void tap.test('every command takes a UUID, an alias, or the beginning of a UUID', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm(), aVm({ zonename: uuids.db, alias: 'db' })] });
  for (const name of [uuids.web, 'web', uuids.web.slice(0, 5)]) {
    for (const argv of [
      ['get', name],
      ['vm', name],
      ['diff', name],
      ['sync', name],
      ['lookup', '-1', name],
      ['list', name],
      ['wait', name, 'state=running'],
    ])
      t.match(await run(daemon.url, argv), { status: 0, stderr: '' }, argv.join(' '));
    await daemon.listening(0);
    const following = run(daemon.url, ['events', '-1', name]);
    await daemon.listening();
    t.match(daemon.requests.at(-1)?.path, `zonename=${uuids.web}`, `events ${name}`);
    daemon.overflow();
    await following;
  }
  t.match(await run(daemon.url, ['vm', 'nosuch']), { status: 1, stderr: /no VM has/ });
});

void tap.test('filters are asked of the daemon', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm({ alias: 'web1' })] });
  const running = run(daemon.url, ['events', '-1', 'state!=failed', 'ram>=1g', 'ram>2']);
  await daemon.listening();
  const { searchParams } = new URL(daemon.requests.at(-1)?.path ?? '', 'http://host');
  for (const key of ['ram>=1g', 'ram>2', 'state!=failed']) t.ok(searchParams.has(key), key);
  daemon.overflow();
  await running;
});

void tap.test('--since: what happened before, then what happens, each once', async (t) => {
  const past = 'vm1 quota 10 -> 11 GiB\nvm2 quota 10 -> 31 GiB\nvm2 deleted\n';
  const after = 'vm1 quota 11 -> 40 GiB\n';
  const gone = 'vm2 created (joyent, 10.0.0.1)\nvm2 deleted\n';
  const cases: { argv: string[]; text: string; stderr?: RegExp }[] = [
    { argv: ['1h'], text: past + after },
    { argv: [`${instance}:2`], text: `vm2 deleted\n${after}` },
    { argv: [`${instance}:1`, 'quota>20g'], text: `${gone}vm1 created (joyent, 10.0.0.1)\n` },
    { argv: [`${instance}:0`, aSmallVm(1).uuid], text: `vm1 quota 10 -> 11 GiB\n${after}` },
    { argv: ['another:7'], text: past + after, stderr: /been restarted since then/ },
  ];
  for (const { argv, text, stderr = /^$/ } of cases) {
    const { url, store, close } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2)] });
    store.put(aSmallVm(1, { quota: 11 }));
    store.put(aSmallVm(2, { quota: 31 }));
    store.delete(aSmallVm(2).zonename);
    const wanted = text.split('\n').length;
    let done = false;
    const result = await run(url, ['events', '-1', '--since', ...argv], {
      onOutput: (printed) => {
        const lines = printed.split('\n').length;
        if (lines === wanted - 1) store.put(aSmallVm(1, { quota: 40 }));
        if (lines !== wanted || done) return;
        done = true;
        void close();
      },
    });
    t.equal(result.stdout.replaceAll(/^\d\d:\d\d:\d\d /gm, ''), text, argv.join(' '));
    t.match(result.stderr.replace('vminfo: VminfodEventStream ended prematurely\n', ''), stderr);
  }
  const { url, store, close } = await serve(t, { vms: [aSmallVm(1)] });
  for (const when of ['soon', '5', '0s', ':1'])
    t.equal((await run(url, ['events', '--since', when])).status, 2, when);
  for (let quota = 11; quota <= 11 + logLimits.maxEvents; quota++) store.put(aSmallVm(1, { quota }));
  const wrapped = await run(url, ['events', '-1', '--since', `${instance}:0`], {
    onOutput: () => void close(),
  });
  t.match(wrapped.stderr, /^vminfo: what happened before \d{4}-\S*Z is no longer kept\n/);
  t.match(wrapped.stdout, /quota 11 -> 12 GiB\n/);
  const old = await FakeDaemon.start(t, { old: true });
  t.match(await run(old.url, ['events', '--since', '1h']), {
    status: 1,
    stderr: /does not keep past events/,
  });
});
