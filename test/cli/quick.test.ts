/** The quick commands of vminfo.cjs do and print what the whole program does. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import tap from 'tap';
import { quick } from '../../lib/cli/quick.js';
import { aVm, uuids } from '../client/a-vm.js';
import { FakeDaemon, json, type FakeDaemonOptions } from '../client/fake-daemon.js';
import { startTestDaemon } from '../daemon/harness.js';
import { aStatus } from './a-status.js';
import { run, type Run } from './run.js';

const exec = promisify(execFile);
const sbin = fileURLToPath(new URL('../../sbin/', import.meta.url));

const web = aVm();
const db = aVm({ zonename: uuids.db, alias: 'Datenbank Köln 🦙 数据', brand: 'bhyve', hvm: true, ram: 64 });
const { alias: _, ...nameless } = aVm({ zonename: uuids.cache, brand: 'lx', state: 'stopped' });
const evil = aVm({ zonename: uuids.cache, alias: 'a\u001b[2J\u202eb' });

async function quickly(url: string, argv: readonly string[]): Promise<Run> {
  const program = (...args: Parameters<typeof quick>) =>
    quick(...args) ?? Promise.reject(new Error('not quick'));
  return run(url, argv, { program });
}

const hosts: Record<string, FakeDaemonOptions> = {
  'a host': { vms: [web, db, nameless] },
  'a guest that would write to the terminal': { vms: [web, evil] },
  'an empty host': {},
  'a daemon that loads': {
    intercept: (_path, response) => {
      json(response, 503, { code: 'NotReady', message: 'still loading' });
      return true;
    },
  },
  'a daemon that refuses': {
    intercept: (_path, response) => {
      json(response, 400, { code: 'BadRequest', message: 'no' });
      return true;
    },
  },
  'no daemon of ours': {
    intercept: (_path, response) => {
      response.writeHead(200).end('<html>');
      return true;
    },
  },
  'a host whose VMs may have changed': {
    vms: [web, db],
    intercept: (path, response) => {
      if (path !== '/status') return false;
      json(response, 200, aStatus({ state: 'paused' }));
      return true;
    },
  },
};
const commands = [
  ['ping'],
  ['vms'],
  ['list'],
  ['get', uuids.web],
  ['get', db.alias ?? ''],
  ['get', uuids.web.slice(0, 5)],
  ['vm', uuids.db],
  ['get', '00000000-0000-4000-8000-000000000000'],
  ['get', 'nosuch'],
  ['get', ''],
];
for (const [name, options] of Object.entries(hosts)) {
  void tap.test(`${name}: the same output and status`, async (t) => {
    const daemon = await FakeDaemon.start(t, options);
    for (const argv of commands) {
      t.strictSame(await quickly(daemon.url, argv), await run(daemon.url, argv), argv.join(' '));
    }
    await daemon.quiet();
  });
}

void tap.test('no daemon, and no such url: the same output and status', async (t) => {
  for (const url of ['http://127.0.0.1:1', 'unix:/nosuch', 'nonsense', '']) {
    for (const argv of commands) {
      t.strictSame(await quickly(url, argv), await run(url, argv), `${url} ${argv.join(' ')}`);
      const named = ['--url', url, ...argv];
      t.strictSame(await quickly('', named), await run('', named), named.join(' '));
    }
  }
});

void tap.test('everything else is left to the whole program, and nothing is done', (t) => {
  const others = [
    ...[[], ['--help'], ['--version'], ['help'], ['--url'], ['--url', 'x'], ['--url=x', 'ping'], ['nosuch']],
    ...[
      ['ping', '-j'],
      ['ping', 'x'],
      ['vms', '-j'],
      ['list', 'x'],
      ['list', '-p'],
      ['list', '--help'],
    ],
    ...[['get'], ['get', '-h'], ['get', 'a', 'b'], ['vm'], ['-F', 'x', 'list'], ['--timeout', '1', 'ping']],
  ];
  const refused = (argv: string[], env = {}) =>
    quick({ argv, env, stdout: process.stdout, stderr: process.stderr }) === undefined;
  for (const argv of others) t.ok(refused(argv), argv.join(' '));
  const env = { VMINFO_FLEET: 'nats://127.0.0.1:1' };
  for (const argv of [['vms'], ['list'], ['get', 'x']]) t.ok(refused(argv, env), `fleet: ${argv.join(' ')}`);
  t.end();
});

void tap.test('list asks only for what it shows and sorts by, and that makes no difference', async (t) => {
  const { daemon } = await startTestDaemon(t, { vms: 12 });
  const asIfChosen = async (...argv: string[]) =>
    (await run(daemon.url, ['list', ...argv, 'uuid!=x'])).stdout;
  t.equal((await quickly(daemon.url, ['list'])).stdout, await asIfChosen());
  for (const argv of [
    ['-p'],
    ['-o', 'wide'],
    ['-o', 'alias', '-s', '-type,-ram,uuid'],
    ['-po', 'alias,type,ram,nics.*.ip,disks.0.size,tags.role', '-s', '-snapshots,uuid'],
  ]) {
    t.equal((await run(daemon.url, ['list', ...argv])).stdout, await asIfChosen(...argv), argv.join(' '));
  }
  const fake = await FakeDaemon.start(t, { vms: [web] });
  await quickly(fake.url, ['list']);
  t.equal(
    decodeURIComponent(fake.requests[0]?.path ?? ''),
    '/vms?fields=uuid,brand,hvm,ram,max_physical_memory,state,alias',
  );
});

void tap.test('vminfo.cjs is complete for them, and loads nothing that they do not need', async (t) => {
  const { sources } = JSON.parse(readFileSync(`${sbin}vminfo.cjs.map`, 'utf8')) as { sources: string[] };
  t.ok(sources.some((source) => source.endsWith('lib/cli/quick.ts')));
  t.strictSame(
    sources.filter((source) => /node_modules\/(commander|rxjs|re2js|@nats-io|ink)\/|lib\/fleet/.test(source)),
    [],
  );
  // string-width is there, but is run only for text that is not ASCII: its segmenter takes long to make.
  const noteSegmenters = `data:text/javascript,${encodeURIComponent(
    'Intl.Segmenter = class extends Intl.Segmenter { constructor(...args) { super(...args); console.error("segmenter"); } };',
  )}`;
  for (const [vms, segmenters] of [
    [[web, nameless], ''],
    [[], ''],
    [[web, db], 'segmenter\n'],
  ] as const) {
    const daemon = await FakeDaemon.start(t, { vms });
    const list = (program: string) =>
      exec(process.execPath, ['--import', noteSegmenters, sbin + program, '--url', daemon.url, 'list']);
    const small = await list('vminfo.cjs');
    t.equal(small.stderr, segmenters);
    t.equal(small.stdout, (await list('vminfo-main.js')).stdout, 'byte for byte');
  }
});
