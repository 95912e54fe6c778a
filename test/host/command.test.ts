import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { constants } from 'node:fs';
import { promisify } from 'node:util';
import tap from 'tap';
import { CommandError } from '../../lib/host/command-error.js';
import type { CommandRun } from '../../lib/host/command.js';
import type { RunOptions } from '../../lib/host/host.js';
import { type TemporaryHost, temporaryHost } from './temporary-host.js';

const command = '/usr/sbin/zfs';

/** The error that a command ends with. */
async function failureOf(host: TemporaryHost, options: Partial<RunOptions> = {}): Promise<CommandError> {
  try {
    await host.run(command, ['list', '-p'], { timeoutMs: 10_000, ...options });
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error('Expected the command to fail');
}

/**
 * A FIFO that a script opens for writing, to say that it runs and, as long as one of its processes has it open, that it
 * lives: a zombie holds nothing. Reading ends at the end of the last of them, with all that they wrote.
 */
async function makeFifo(
  host: TemporaryHost,
): Promise<{ readonly path: string; started(): Promise<void>; untilAllEnded(): Promise<string> }> {
  const path = host.path(`/fifo-${randomUUID()}`);
  await promisify(execFile)('mkfifo', [path]);
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let written = '';
  /** One look: whether any process has the FIFO open. */
  const look = async () => {
    try {
      const { bytesRead, buffer } = await reader.read(Buffer.alloc(64));
      written += buffer.toString('utf8', 0, bytesRead);
      return bytesRead > 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return true;
      throw error;
    }
  };
  return {
    path,
    started: async () => {
      while (written === '') await look();
    },
    untilAllEnded: async () => {
      while (await look());
      await reader.close();
      return written;
    },
  };
}

void tap.test('collects both outputs and the exit code, in the C locale, without stdin', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'echo "$LC_ALL $*"; cat; echo problem >&2');
  t.same(await host.run(command, ['list', 'a b'], { timeoutMs: 10_000 }), {
    stdout: 'C list a b\n',
    stderr: 'problem\n',
    exitCode: 0,
  });
});

void tap.test('reads output that comes after the exit, up to the close', async (t) => {
  const host = await temporaryHost(t);
  // The background part prints when the command itself is gone, its exit code collected.
  await host.script(command, '(while kill -0 $$ 2>/dev/null; do :; done; echo tail) & echo head');
  t.match(await host.run(command, [], { timeoutMs: 10_000 }), { stdout: 'head\ntail\n', exitCode: 0 });
});

void tap.test('reads a megabyte whole', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'head -c 1048576 /dev/zero | tr "\\0" x; echo; echo end');
  const { stdout } = await host.run(command, [], { timeoutMs: 10_000 });
  t.equal(stdout.length, 1_048_576 + 5);
  t.ok(stdout.endsWith('x\nend\n'));
});

void tap.test('names what is wrong with a command that fails', async (t) => {
  const host = await temporaryHost(t);
  const path = host.path(command);

  const missing = await failureOf(host);
  t.match(missing, { code: 'ENOENT', command: path, args: ['list', '-p'], exitCode: undefined, stderr: '' });
  t.equal(missing.message, `${path} list -p does not exist`);
  t.match(missing.cause, { code: 'ENOENT' });

  await host.write(command, 'not executable');
  t.match(await failureOf(host), { code: 'SPAWN', cause: { code: 'EACCES' } });

  await host.script('/bad', 'echo "internal error: no memory" >&2; echo more >&2; exit 3');
  const failed = await host.run('/bad', [], { timeoutMs: 10_000 }).catch((error: unknown) => error);
  t.match(failed, { code: 'EXIT', exitCode: 3, stderr: 'internal error: no memory\nmore\n' });
  t.match(failed, { message: `${host.path('/bad')} exited with 3: internal error: no memory` });

  await host.script('/killed', 'echo half; kill -KILL $$');
  const killed = await host.run('/killed', [], { timeoutMs: 10_000 }).catch((error: unknown) => error);
  t.match(killed, { code: 'SIGNAL', message: /was killed by SIGKILL$/ });
});

void tap.test('an exit that the caller accepts is an answer', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'echo "[]"; exit 1');
  const accepts = ({ exitCode, stdout }: { exitCode: number; stdout: string }) =>
    exitCode === 1 && stdout === '[]\n';
  t.match(await host.run(command, [], { timeoutMs: 10_000, accepts }), { exitCode: 1, stdout: '[]\n' });
});

void tap.test('kills at the timeout', async (t) => {
  const hung = {
    'a child that hangs': 'echo half; sleep 1000',
    'a child that ignores SIGTERM': 'trap "" TERM INT HUP; while :; do sleep 1000; done',
    'a grandchild that holds stdout': 'sleep 1000 & exit 0',
  };
  await Promise.all(
    Object.entries(hung).map(async ([name, body]) => {
      const host = await temporaryHost(t);
      const fifo = await makeFifo(host);
      await host.script(command, `exec 3>${fifo.path}; echo started >&3; ${body}`);
      const error = await failureOf(host, { timeoutMs: 2_000 });
      t.match(error, { code: 'TIMEOUT', message: / list -p timed out after 2 s$/ }, name);
      t.equal(await fifo.untilAllEnded(), 'started\n', `${name} is dead`);
    }),
  );
});

void tap.test(
  'settles at the timeout even if what holds stdout cannot be killed',
  { skip: process.platform !== 'linux' && 'needs setsid(1)' },
  async (t) => {
    const host = await temporaryHost(t);
    // In a session of its own it is out of our reach; it ends with the directory of this test.
    const watch = `while [ -e ${host.path(command)} ]; do sleep 0.1; done`;
    await host.script(command, `setsid sh -c '${watch}' & exit 0`);
    t.match(await failureOf(host, { timeoutMs: 500 }), { code: 'TIMEOUT' });
  },
);

void tap.test('too much output is an error, and ends the command', async (t) => {
  const host = await temporaryHost(t);
  for (const to of [1, 2]) {
    const fifo = await makeFifo(host);
    const print = `head -c 5000 /dev/zero >&${to}`;
    await host.script(command, `trap "" PIPE; exec 3>${fifo.path}; ${print}; while :; do sleep 1000; done`);
    const error = await failureOf(host, { maxBytes: 4_999 });
    t.match(error, { code: 'OUTPUT_LIMIT', message: /printed more than 4999 bytes$/ });
    await fifo.untilAllEnded();

    await host.script(command, print);
    t.match(await host.run(command, [], { timeoutMs: 10_000, maxBytes: 5_000 }), { exitCode: 0 });
  }
});

void tap.test('an abort, of the call or of the whole host, ends the command', async (t) => {
  const call = new AbortController();
  const ending = new AbortController();
  const reason = new Error('stopping');
  const host = await temporaryHost(t, { signal: ending.signal });
  for (const controller of [call, ending]) {
    const fifo = await makeFifo(host);
    await host.script(command, `exec 3>${fifo.path}; echo started >&3; sleep 1000`);
    const failure = failureOf(host, { signal: controller === call ? call.signal : undefined });
    await fifo.started();
    controller.abort(reason);
    t.match(await failure, { code: 'ABORTED', cause: reason });
    await fifo.untilAllEnded();
  }
  t.match(
    await failureOf(host),
    { code: 'ABORTED', message: /was not started/ },
    'nothing starts after the end',
  );
});

void tap.test('tells an observer of every command', async (t) => {
  const runs: CommandRun[] = [];
  const host = await temporaryHost(t, { onCommand: (run) => runs.push(run) });
  await host.script(command, 'exit $1');
  await host.run(command, ['0'], { timeoutMs: 10_000 });
  await failureOf(host);
  t.match(runs, [
    { command: host.path(command), args: ['0'], durationMs: Number, error: undefined },
    { args: ['list', '-p'], error: { code: 'EXIT' } },
  ]);
});

void tap.test('a path cannot leave the root', async (t) => {
  const host = await temporaryHost(t);
  t.equal(host.path('/zones/../../etc'), `${host.root}/etc`);
  t.throws(() => host.path('etc'), { name: 'RangeError' });
});
