import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { constants } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import tap from 'tap';
import { CommandError, type CommandRun } from '../../lib/host/command.js';
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

/** Makes a FIFO. A process that opens it for writing and is alive, a zombie is not, is its writer. */
async function makeFifo(host: TemporaryHost): Promise<string> {
  const fifo = host.path('/fifo');
  await promisify(execFile)('mkfifo', [fifo]);
  return fifo;
}

async function untilNoWriter(fifo: string): Promise<void> {
  const file = await open(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    for (;;) {
      try {
        const { bytesRead } = await file.read(Buffer.alloc(64));
        if (bytesRead === 0) return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
      await setImmediate();
    }
  } finally {
    await file.close();
  }
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
  const fifo = await makeFifo(host);
  // The background reader can print only when the FIFO is opened, which is when the command itself has exited.
  await host.script(command, `echo $$; (cat ${fifo}; echo tail) & echo head`);
  const result = host.run(command, [], { timeoutMs: 10_000 });
  const writer = await open(fifo, 'w');
  await writer.write('middle\n');
  await writer.close();
  t.match((await result).stdout, /^\d+\nhead\nmiddle\ntail\n$/);
});

void tap.test('reads a megabyte whole', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'head -c 1048576 /dev/zero | tr "\\0" x; echo; echo end');
  const { stdout } = await host.run(command, [], { timeoutMs: 10_000 });
  t.equal(stdout.length, 1_048_576 + 5);
  t.ok(stdout.endsWith('x\nend\n'));
});

void tap.test('a multi-byte character on the edge of two chunks is read whole', async (t) => {
  const host = await temporaryHost(t);
  const fifo = await makeFifo(host);
  await host.script(command, `printf '\\303'; cat ${fifo}; printf '\\251\\n'`);
  const result = host.run(command, [], { timeoutMs: 10_000 });
  await (await open(fifo, 'w')).close();
  t.equal((await result).stdout, 'é\n');
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
    'a child that hangs': 'exec 3>FIFO; echo half; sleep 1000',
    'a child that ignores SIGTERM': 'trap "" TERM INT HUP; exec 3>FIFO; while :; do sleep 1000; done',
    'a grandchild that holds stdout': '(exec 3>FIFO; sleep 1000) & exit 0',
  };
  await Promise.all(
    Object.entries(hung).map(async ([name, body]) => {
      const host = await temporaryHost(t);
      const fifo = await makeFifo(host);
      await host.script(command, body.replace('FIFO', fifo));
      // Opening succeeds when the script has opened the other end: so there was something to kill.
      const opened = open(fifo, 'r');
      const error = await failureOf(host, { timeoutMs: 1_000 });
      t.match(error, { code: 'TIMEOUT', message: / list -p timed out after 1 s$/ }, name);
      await (await opened).close();
      await untilNoWriter(fifo);
    }),
  );
});

void tap.test('settles at the timeout even if a grandchild that holds stdout cannot be found', async (t) => {
  const host = await temporaryHost(t);
  const fifo = await makeFifo(host);
  // In a session of its own it is out of our process group; it ends when the test lets it.
  await host.script(command, `setsid cat ${fifo} 2>&1 & exit 0`);
  t.match(await failureOf(host, { timeoutMs: 500 }), { code: 'TIMEOUT' });
  await (await open(fifo, 'w')).close();
});

void tap.test('too much output is an error, and ends the command', async (t) => {
  const host = await temporaryHost(t);
  const fifo = await makeFifo(host);
  for (const to of [1, 2]) {
    await host.script(
      command,
      `trap "" PIPE; exec 3>${fifo}; head -c 5000 /dev/zero >&${to}; while :; do sleep 1000; done`,
    );
    const opened = open(fifo, 'r');
    const error = await failureOf(host, { maxBytes: 4_999 });
    t.match(error, { code: 'OUTPUT_LIMIT', message: /printed more than 4999 bytes$/ });
    await (await opened).close();
    await untilNoWriter(fifo);
    t.match(
      await host
        .script(command, `head -c 4999 /dev/zero >&${to}`)
        .then(() => host.run(command, [], { timeoutMs: 10_000, maxBytes: 4_999 })),
      { exitCode: 0 },
    );
  }
});

void tap.test('an abort, of the call or of the whole host, ends the command', async (t) => {
  const call = new AbortController();
  const ending = new AbortController();
  const reason = new Error('stopping');
  const host = await temporaryHost(t, { signal: ending.signal });
  const fifo = await makeFifo(host);
  await host.script(command, `exec 3>${fifo}; sleep 1000`);
  for (const controller of [call, ending]) {
    const opened = open(fifo, 'r');
    const failure = failureOf(host, { signal: call === controller ? call.signal : undefined });
    const reader = await opened;
    controller.abort(reason);
    t.match(await failure, { code: 'ABORTED', cause: reason });
    await reader.close();
    await untilNoWriter(fifo);
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
