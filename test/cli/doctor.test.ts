import tap from 'tap';
import { diagnose } from '../../lib/client/diagnose.js';
import type { Status } from '../../lib/client/status.js';
import { FakeDaemon, json } from '../client/fake-daemon.js';
import { aStatus } from './a-status.js';
import { run } from './run.js';

const since = '2026-11-23T10:00:00.000Z';
const source = { name: 'zfs sysevents', since, restarts: 3, events: 7 };
const well = { ...source, state: 'running', lastError: { message: 'an old one', time: since } };

const troubles: { name: string; status: Partial<Status>; says: RegExp[] }[] = [
  { name: 'nothing', status: {}, says: [] },
  {
    name: 'healthy sources, old errors',
    status: { sources: [well], missed: { zfs: 0 }, loadErrors: [] },
    says: [],
  },
  {
    name: 'still booting',
    status: { state: 'booting', awaiting: ['zfs list', 'sysinfo'] },
    says: [/still loading; it waits for zfs list, sysinfo/],
  },
  { name: 'paused', status: { state: 'paused' }, says: [/paused/] },
  {
    name: 'a source that restarts',
    status: {
      sources: [well, { ...source, state: 'restarting', lastError: { message: 'killed', time: since } }],
    },
    says: [/source zfs sysevents is restarting since .*: killed/],
  },
  {
    name: 'lost events',
    status: { missed: { zfs: 12, zones: 1 } },
    says: [/12 changes .* of zfs/, /1 change came .* of zones/],
  },
  {
    name: 'a door that is full',
    status: {
      listeners: { max: 2, refused: 7, holders: [['greedy', 2]] },
      connections: { 'http://x': { open: 4000, max: 4000, ended: 3, holders: [['-', 4000]] } },
    },
    says: [
      /no more listeners are taken than the 2 there are: 2 of greedy/,
      /4000 connections to http:\/\/x.*: 4000 of -/,
    ],
  },
  {
    name: 'a door with room',
    status: {
      listeners: { max: 3, refused: 7, holders: [['greedy', 2]] },
      connections: { 'http://x': { open: 3999, max: 4000, ended: 3, holders: [['-', 4000]] } },
    },
    says: [],
  },
  {
    name: 'a log that is written, though once it was not',
    status: { log: { lostLines: 12, unwrittenBytes: 0, error: null } },
    says: [],
  },
  {
    name: 'a log on a full disk',
    status: { log: { lostLines: 12, unwrittenBytes: 1_000_000, error: 'ENOSPC: no space left on device' } },
    says: [/log cannot be written: ENOSPC.*; 12 lines/],
  },
  {
    name: 'a rescan that failed',
    status: {
      refreshErrors: [{ err: { message: 'zfs: exit 1' }, time: '2026-11-23T10:00:04.493Z', ago: '15.51s' }],
    },
    says: [/last rescan failed 15.51s ago: zfs: exit 1/],
  },
  {
    name: 'a rescan that failed before the last good one',
    status: { refreshErrors: [{ err: 'zfs: exit 1', time: '2026-11-23T10:00:03.000Z', ago: '17s' }] },
    says: [],
  },
  {
    name: 'no rescan for too long',
    status: { refreshErrors: [], lastRefresh: '1801.5s (30.03m)' },
    says: [/no rescan has ended for 1802 s/],
  },
  {
    name: 'no rescan at all',
    status: { refreshErrors: [], lastRefresh: null, uptime: '901s (15m)' },
    says: [/no rescan .* 901 s/],
  },
  {
    name: 'a long period of its own',
    status: { refreshErrors: [], lastRefresh: '1801s', rescanIntervalMs: 3_600_000 },
    says: [],
  },
  {
    name: 'zones that cannot be read',
    status: {
      loadErrors: [
        { zone: 'z1', input: 'tags', error: 'not JSON', since },
        { zone: 'z2', input: 'xml', error: 'empty', since },
      ],
    },
    says: [/zone z1: its tags .* not JSON/, /zone z2: its xml .* empty/],
  },
  {
    name: 'a command that fails, of which zones and the last rescan suffer',
    status: {
      refreshErrors: [
        {
          err: 'zoneadm list: exit 1',
          problem: 'zoneadm exit 1',
          time: '2026-11-23T10:00:04.493Z',
          ago: '15.51s',
        },
      ],
      loadErrors: ['z1', 'z2', 'z3', 'z4', 'z5'].flatMap((zone) =>
        ['record', 'kstat'].map((input) => ({
          ...{ zone, input, error: `zoneadm ${zone}: exit 1`, problem: 'zoneadm exit 1', since },
        })),
      ),
    },
    says: [
      /^5 zones: their record and kstat cannot be read since .*: zoneadm list: exit 1 \(z1, z2, z3 and 2 more\); by this the last rescan failed, too, 15.51s ago$/,
    ],
  },
];
for (const { name, status, says } of troubles) {
  void tap.test(`doctor sees ${name}`, (t) => {
    const found = diagnose(aStatus(status));
    t.equal(found.length, says.length);
    for (const [index, pattern] of says.entries()) t.match(found[index], { what: pattern, advice: /\w/ });
    t.end();
  });
}

void tap.test('doctor prints troubles with advice, and its status says whether there are any', async (t) => {
  let answer = aStatus();
  const daemon = await FakeDaemon.start(t, {
    intercept: (_path, response) => {
      json(response, 200, answer);
      return true;
    },
  });
  t.match(await run(daemon.url, ['doctor']), { status: 0, stdout: /^vminfod is well/, stderr: '' });
  t.match(JSON.parse((await run(daemon.url, ['doctor', '-j'])).stdout), { healthy: true, troubles: [] });
  answer = aStatus({ loadErrors: [{ zone: 'z1', input: 'xml', error: '\u001b[2J', since }] });
  const sick = await run(daemon.url, ['doctor']);
  t.match(sick, { status: 1, stdout: /^trouble: zone z1: its xml .*\\u001b\[2J\n {2}\w/, stderr: '' });
  const { status, stdout } = await run(daemon.url, ['doctor', '-j']);
  t.equal(status, 1);
  t.match(JSON.parse(stdout), { healthy: false, troubles: [{ what: /z1/ }] });
  await daemon.down();
  t.match(await run(daemon.url, ['doctor']), {
    status: 1,
    stdout: /^trouble: cannot reach vminfod at/,
    stderr: '',
  });
});
