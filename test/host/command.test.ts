import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { constants, existsSync } from 'node:fs';
import { promisify } from 'node:util';
import tap from 'tap';
import { CommandError } from '../../lib/host/command-error.js';
import type { CommandRun } from '../../lib/host/command.js';
import type { RunOptions } from '../../lib/host/host.js';
import { withoutDescriptors } from '../without-descriptors.js';
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

void tap.test("an argument is the command's, whatever is in it", async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'printf "%s|" "$@"');
  const args = [
    '',
    ' a  b',
    "it's",
    '$HOME `id` $(id)',
    '\\',
    '"',
    'two\nlines\n',
    '*',
    '-n',
    '; exit 3',
    'é',
  ];
  const { stdout } = await host.run(command, args, { timeoutMs: 10_000 });
  t.same(stdout.split('|').slice(0, -1), args);
});

void tap.test('outputs end where they end: empty, without a newline, with many', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'printf "$1"; printf "$2" >&2');
  for (const [stdout, stderr] of [
    ['', ''],
    ['a', '\n'],
    ['\n\n', 'b\n\n'],
    ['a 0\n', 'b 1\n'],
  ] as const) {
    t.same(await host.run(command, [stdout, stderr], { timeoutMs: 10_000 }), { stdout, stderr, exitCode: 0 });
  }
});

void tap.test('what a command leaves behind does not get into the output of the next', async (t) => {
  const host = await temporaryHost(t);
  const fifo = await makeFifo(host);
  await host.script(command, `exec 3>${fifo.path}; (echo started >&3; sleep 1000) & echo head`);
  t.match(await host.run(command, [], { timeoutMs: 10_000 }), { stdout: 'head\n' });
  await fifo.started();
  await host.script('/speaks', `(sleep 0.05; echo late; sleep 1000) & echo "$PPID"`);
  const { stdout: shell } = await host.run('/speaks', [], { timeoutMs: 10_000 });
  await fifo.untilAllEnded(); // by the shell that they shared
  await host.script('/next', 'echo "$PPID"');
  const { stdout: another } = await host.run('/next', [], { timeoutMs: 10_000 });
  t.match(another, /^\d+\n$/);
  t.not(another, shell);
});

void tap.test('what prints after the end of its command fails that at once, and no other', async (t) => {
  for (const to of [1, 2]) {
    const host = await temporaryHost(t);
    const fifo = await makeFifo(host);
    const printed = host.path('/printed');
    const late = `sleep 0.3; echo late >&${to}; touch ${printed}; sleep 1000`;
    await host.script(command, `exec 3>${fifo.path}; echo started >&3; (${late}) & echo head`);
    const failure = failureOf(host, { timeoutMs: 30_000 });
    // We read nothing until all is there: the end of the command with what comes after it, in one piece.
    while (!existsSync(printed));
    t.match(await failure, { code: 'OUTPUT', message: /something else prints/ });
    t.equal(await fifo.untilAllEnded(), 'started\n');
    await host.script('/next', 'echo whole');
    t.match(await host.run('/next', [], { timeoutMs: 10_000 }), { stdout: 'whole\n', stderr: '' });
  }
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
  t.match(missing, { code: 'ENOENT', command: path, args: ['list', '-p'], exitCode: undefined });
  t.equal(missing.message, `${path} list -p does not exist`);

  await host.write(command, 'not executable');
  t.match(await failureOf(host), { code: 'SPAWN', message: /could not be started: .*[Pp]ermission denied/ });

  await host.script('/bad', 'echo "internal error: no memory" >&2; echo more >&2; exit 3');
  const failed = await host.run('/bad', [], { timeoutMs: 10_000 }).catch((error: unknown) => error);
  t.match(failed, { code: 'EXIT', exitCode: 3, stderr: 'internal error: no memory\nmore\n' });
  t.match(failed, { message: `${host.path('/bad')} exited with 3: internal error: no memory` });

  await host.script('/killed', 'echo half; kill -KILL $$');
  const killed = await host.run('/killed', [], { timeoutMs: 10_000 }).catch((error: unknown) => error);
  t.match(killed, { code: 'SIGNAL', message: /was killed by SIGKILL$/ });
});

void tap.test('a shell that dies takes only the command that it runs along', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'echo half; kill -KILL "$PPID"; sleep 1000');
  t.match(await failureOf(host), { code: 'SIGNAL', message: /lost its shell, killed by SIGKILL$/ });
  await host.script(command, 'echo whole');
  t.match(await host.run(command, [], { timeoutMs: 10_000 }), { stdout: 'whole\n' });
});

void tap.test('an exit code of a command that was not killed is one, however high', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'exit 255');
  t.match(await failureOf(host), { code: 'EXIT', exitCode: 255 });
});

void tap.test(
  'without descriptors for another process: an error, and good again when there are some',
  async (t) => {
    const host = await temporaryHost(t);
    await host.script(command, 'echo whole');
    const outcome = await withoutDescriptors(`
      import { createHost } from ${JSON.stringify(new URL('../../lib/host/host.js', import.meta.url).href)};
      const host = createHost({ root: ${JSON.stringify(host.root)} });
      const run = () => host.run(${JSON.stringify(command)}, [], { timeoutMs: 10_000 }).then(({ stdout }) => stdout, ({ code }) => code);
      takeAll();
      const without = await run();
      giveBack();
      console.log(JSON.stringify([without, await run()]));`);
    t.same(outcome, ['SPAWN', 'whole\n']);
  },
);

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
    'a child that waits for another': 'sleep 1000 & wait',
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

void tap.test('too much output is an error, and ends the command', async (t) => {
  const host = await temporaryHost(t);
  for (const to of [1, 2]) {
    const fifo = await makeFifo(host);
    const print = `head -c 5000 /dev/zero >&${to}`;
    await host.script(command, `trap "" PIPE; exec 3>${fifo.path}; ${print}; while :; do sleep 1000; done`);
    const error = await failureOf(host, { maxBytes: 4_900 });
    t.match(error, { code: 'OUTPUT_LIMIT', message: /printed more than 4900 bytes$/ });
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
