import tap from 'tap';
import { aVm, uuids } from '../client/a-vm.js';
import { FakeDaemon } from '../client/fake-daemon.js';
import { run } from './run.js';

const web = aVm({ tags: { role: 'www' }, nics: [{ mac: '90:b8:d0:00:00:01', ip: '10.0.0.7' }] });
const db = aVm({
  zonename: uuids.db,
  alias: 'DB01',
  brand: 'bhyve',
  hvm: true,
  ram: 1024,
  disks: [{ size: 10 }],
});
const lx = aVm({ zonename: uuids.cache, brand: 'lx', alias: 'cache', state: 'stopped', quota: 5 });
const unknownUuid = '00000000-0000-4000-8000-000000000000';

const cases: { argv: string[]; stdout?: string | RegExp; stderr?: string | RegExp; status?: number }[] = [
  { argv: ['ping'], stdout: 'pong\n' },
  { argv: ['ping', '-j'], stdout: '{"ping":"pong"}\n' },
  { argv: ['vms'], stdout: `${JSON.stringify([web, db, lx], null, 2)}\n` },
  { argv: ['vm', uuids.db], stdout: `${JSON.stringify(db, null, 2)}\n` },
  { argv: ['vm'], stderr: /^Usage: vminfo vm/, status: 1 },
  { argv: ['get', uuids.db], stdout: `${JSON.stringify(db, null, 2)}\n` },
  { argv: ['get', unknownUuid], stderr: `zoneadm: ${unknownUuid}: No such zone configured\n`, status: 1 },
  { argv: ['get'], stderr: /missing required argument/, status: 2 },
  {
    argv: ['list', '-p', '-o', 'uuid,alias,quota'],
    stdout: `${uuids.web}:web:10\n${uuids.cache}:cache:5\n${uuids.db}:DB01:10\n`,
  },
  { argv: ['list', '-p', '-o', 'alias', '-s', '-ram,-alias'], stdout: 'DB01\nweb\ncache\n' },
  { argv: ['list', '-H', '-o', 'alias,type', 'state=stopped'], stdout: 'cache       LX\n' },
  { argv: ['list', '-o', 'alias', 'state=none'], stdout: 'ALIAS\n' },
  { argv: ['list', 'type=BHYV', 'ram=1024', '-o', 'alias', '-H'], stdout: 'DB01\n' },
  { argv: ['list', '-j', 'alias=cache'], stdout: `${JSON.stringify([lx], null, 2)}\n` },
  { argv: ['list', '-o', 'uuid,foo'], stderr: /unknown property: foo/, status: 2 },
  { argv: ['list', '-s', 'foo'], stderr: /unknown property: foo/, status: 2 },
  { argv: ['list', 'foo=1'], stderr: /unknown property: foo/, status: 2 },
  { argv: ['list', 'nosuch'], stderr: /no VM has .* "nosuch"/, status: 1 },
  { argv: ['list', '--foo'], stderr: /unknown option '--foo'/, status: 2 },
  { argv: ['lookup'], stdout: `${uuids.web}\n${uuids.db}\n${uuids.cache}\n` },
  { argv: ['lookup', 'nics.*.mac=90:b8:d0:00:00:01'], stdout: `${uuids.web}\n` },
  { argv: ['lookup', 'disks.0.size=10'], stdout: `${uuids.db}\n` },
  { argv: ['lookup', 'tags.role=www'], stdout: `${uuids.web}\n` },
  { argv: ['lookup', 'alias=~^db'], stdout: `${uuids.db}\n` },
  { argv: ['lookup', 'alias=db01'], stdout: '' },
  { argv: ['lookup', 'quota=10', 'state=running'], stdout: `${uuids.web}\n${uuids.db}\n` },
  { argv: ['lookup', '-1', 'alias=web'], stdout: `${uuids.web}\n` },
  { argv: ['lookup', '-1', 'quota=10'], stderr: 'Requested unique lookup but found 2 results.\n', status: 1 },
  { argv: ['lookup', '-1', 'alias=x'], stderr: 'Requested unique lookup but found 0 results.\n', status: 1 },
  {
    argv: ['lookup', '-j', '-o', 'alias,nics.ip', 'alias=web'],
    stdout: `${JSON.stringify([{ alias: 'web', nics: [{ ip: '10.0.0.7' }] }], null, 2)}\n`,
  },
  { argv: ['lookup', '-o', 'alias'], stderr: /needs '-j/, status: 2 },
  { argv: ['lookup', 'alias=~('], stderr: /alias: /, status: 2 },
  { argv: ['bogus'], stderr: /unknown command 'bogus'/, status: 2 },
  { argv: [], stderr: /^Usage: vminfo/, status: 2 },
  { argv: ['--help'], stdout: /^Usage: vminfo/ },
  { argv: ['help', 'list'], stdout: /--parsable/ },
  { argv: ['--version'], stdout: /^\d+\.\d+\.\d+\n$/ },
];
for (const { argv, stdout = '', stderr = '', status = 0 } of cases) {
  void tap.test(`vminfo ${argv.join(' ')}`, async (t) => {
    const daemon = await FakeDaemon.start(t, { vms: [web, db, lx] });
    const result = await run(daemon.url, argv);
    t[typeof stdout === 'string' ? 'equal' : 'match'](result.stdout, stdout);
    t[typeof stderr === 'string' ? 'equal' : 'match'](result.stderr, stderr);
    t.equal(result.status, status);
    await daemon.quiet();
  });
}

void tap.test('the url is --url, else VMINFOD_URL', async (t) => {
  const daemon = await FakeDaemon.start(t);
  t.equal((await run('http://127.0.0.1:1', ['--url', daemon.url, 'ping'])).status, 0);
  t.equal((await run('http://127.0.0.1:1', ['ping', '--url', daemon.url])).status, 0);
  t.equal((await run(daemon.url, ['ping'])).status, 0);
  const wrong = await run('nonsense', ['ping']);
  t.match(wrong, { status: 1, stderr: /expected a url like/ });
});

void tap.test('a daemon that is not there', async (t) => {
  const daemon = await FakeDaemon.start(t);
  await daemon.down();
  for (const command of ['ping', 'vms', 'list', 'events']) {
    t.match(await run(daemon.url, [command]), {
      status: 1,
      stdout: '',
      stderr: /^vminfo: cannot reach vminfod at/,
    });
  }
});
