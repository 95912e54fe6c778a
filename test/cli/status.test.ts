import tap, { type Test } from 'tap';
import type { Status } from '../../lib/client/status.js';
import { aVm } from '../client/a-vm.js';
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

void tap.test('status in human figures', async (t) => {
  const listener = { userAgent: 'evil \u001b[2J', createdDate: '2026-11-23T09:57:00.000Z', createdAgo: '' };
  const well = aStatus({ eventsListeners: { 1: listener } });
  t.strictSame(await status(t, well), {
    status: 0,
    stdout:
      'running\n' +
      'up 17 s, last rescan 15 s ago, nothing pending\n' +
      '34 VMs, 47 MiB of memory, pid 96973\n' +
      '1 listener to events\n' +
      '  evil \\u001b[2J, since 3 min\n',
    stderr: '',
  });
  const since = '2026-11-23T10:00:00.000Z';
  const queue = { ...well.queue, vasync_queue: { npending: 2, nqueued: 1 } };
  const { stdout } = await status(
    t,
    aStatus({
      ...{
        state: 'booting',
        status: 'waiting for zfs list',
        awaiting: ['zfs list'],
        queue,
        lastRefresh: null,
      },
      loadErrors: [{ zone: 'z1', input: 'tags', error: '\u001bX', since }],
    }),
  );
  t.match(stdout, /^booting, waiting for zfs list\nup 17 s, no rescan yet, 3 pending\n/);
  t.match(
    stdout,
    /\n2 troubles; vminfo doctor .*\n {2}vminfod is still loading.*\n {2}zone z1: its tags .*\\u001bX\n$/,
  );
});

void tap.test('status -j prints the JSON', async (t) => {
  const { stdout } = await status(t, aStatus(), ['-j']);
  t.strictSame(JSON.parse(stdout), aStatus());
});

void tap.test(
  "status -f is the platform's, with the refresh log and the watched files, escaped",
  async (t) => {
    const fswatcher = { running: true, watching: [1, 2, 3], not_yet_watching: [1], pending_actions: {} };
    const since = '2026-11-23T10:00:00.000Z';
    const source = { since, restarts: 3, events: 7, lastError: { message: 'exited with 1', time: since } };
    const { stdout } = await status(
      t,
      aStatus({
        ...{ refreshLog: [1, 2], fswatcher, awaiting: ['zfs list'] },
        sources: [
          { ...source, name: 'zone sysevents', state: 'running' },
          { ...source, name: 'zfs sysevents', state: 'restarting' },
        ],
        loadErrors: [{ zone: 'z1', input: 'tags', error: 'not JSON', since }],
      }),
      ['-f'],
    );
    t.equal(
      stdout,
      `${usual}awaiting: (1 items)
  - zfs list
unhealthySources: (1 items)
  - zfs sysevents: restarting since ${since} (exited with 1)
loadErrors: (1 items)
  - z1: tags: not JSON
refreshLog: (2 items)
fswatcher
  running: true
  watching: (3 items)
  not_yet_watching: (1 items)
  pending_actions: (0 items)
`,
    );
  },
);

void tap.test('list and ping say on stderr that VMs may be stale, whatever they print', async (t) => {
  let answer: Status | undefined = aStatus();
  const daemon = await FakeDaemon.start(t, {
    vms: [aVm()],
    intercept: (path, response) => {
      if (path === '/status') json(response, answer === undefined ? 500 : 200, answer);
      return path === '/status';
    },
  });
  const stderrOf = async (...argv: string[]) => {
    const { status, stdout, stderr } = await run(daemon.url, argv);
    t.match({ status, stdout }, { status: 0, stdout: /pong|web/ }, argv.join(' '));
    return stderr;
  };
  for (const argv of [['ping'], ['list'], ['list', '-p'], ['list', '-j']]) {
    answer = aStatus({ missed: { zfs: 3 } });
    t.equal(await stderrOf(...argv), '', 'what was missed is found by now');
    const since = '2026-11-23T10:00:00.000Z';
    answer = aStatus({
      loadErrors: ['z1', 'z2'].map((zone) => ({ zone, input: 'tags', error: zone, since })),
    });
    t.match(
      await stderrOf(...argv),
      /^vminfo: VMs may have changed since they were read: zone z1: .*, and 1 more; vminfo doctor says what to do\n$/,
    );
    answer = undefined;
    t.match(await stderrOf(...argv), /^vminfo: it is not known whether that is up to date: /);
  }
});
