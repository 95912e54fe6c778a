import tap, { type Test } from 'tap';
import type { Status } from '../../lib/client/status.js';
import { FakeDaemon, json } from '../client/fake-daemon.js';
import { aStatus } from './a-status.js';
import { run } from './run.js';

async function status(t: Test, answer: Status, argv: string[] = []) {
  const daemon = await FakeDaemon.start(t, {
    intercept: (path, response) => {
      t.equal(path, argv.some((each) => each.includes('f')) ? '/status?full=true' : '/status');
      json(response, 200, answer);
      return true;
    },
  });
  return run(daemon.url, ['status', ...argv]);
}

const usual = `\
state: running (working)
pid: 96973
uptime: 17.095167897s (17.1s)
rss: 47.25mb
numVms: 34
queue
  paused: false
  idle: true
  npending: 0
  nqueued: 0
fullRefresh
  lastRefresh: 15.506684706s (15.51s)
  refreshErrors: (1 items)
    - zfs: exit 1 (16s (16s))
eventsListeners: (2 listeners)
  - vmadm - host/1 (vmadm)
    0001 created 5s (5s) ago
  - evil \\u001b[2J\\u009b
    0002 created 6s (6s) ago
`;

void tap.test('status prints what it always did, escaped', async (t) => {
  t.match(await status(t, aStatus()), { status: 0, stdout: usual, stderr: '' });
});

void tap.test('status -j prints the JSON', async (t) => {
  const { stdout } = await status(t, aStatus(), ['-j']);
  t.strictSame(JSON.parse(stdout), aStatus());
});

void tap.test('status -f adds the refresh log and the watched files', async (t) => {
  const fswatcher = { running: true, watching: [1, 2, 3], not_yet_watching: [1], pending_actions: {} };
  const { stdout } = await status(t, aStatus({ refreshLog: [1, 2], fswatcher }), ['-f']);
  t.equal(
    stdout,
    `${usual}refreshLog: (2 items)
fswatcher
  running: true
  watching: (3 items)
  not_yet_watching: (1 items)
  pending_actions: (0 items)
`,
  );
});

void tap.test('status adds what is not well', async (t) => {
  const since = '2026-11-23T10:00:00.000Z';
  const source = { since, restarts: 3, events: 7, lastError: { message: 'exited with 1', time: since } };
  const { stdout } = await status(
    t,
    aStatus({
      awaiting: ['zfs list'],
      sources: [
        { ...source, name: 'zone sysevents', state: 'running' },
        { ...source, name: 'zfs sysevents', state: 'restarting' },
      ],
      loadErrors: [{ zone: 'z1', input: 'tags', error: 'not JSON', since }],
    }),
  );
  t.equal(
    stdout,
    `${usual}awaiting: (1 items)
  - zfs list
unhealthySources: (1 items)
  - zfs sysevents: restarting since ${since} (exited with 1)
loadErrors: (1 items)
  - z1: tags: not JSON
`,
  );
});
