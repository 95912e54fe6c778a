/** Real children: tiny shell scripts in a temporary host. */
import { readFile } from 'node:fs/promises';
import { firstValueFrom, take, toArray } from 'rxjs';
import tap, { type Test } from 'tap';
import { fromLines } from '../../lib/sources/from-lines.js';
import { withoutDescriptors } from '../without-descriptors.js';
import { temporaryHost, type TemporaryHost } from '../host/temporary-host.js';

const command = '/usr/sbin/talker';

/** The lines of a script, and how they ended. */
async function linesOf(
  t: Test,
  script: string,
  maxLineBytes = 1_000,
): Promise<{ lines: string[]; error: Error }> {
  const host = await temporaryHost(t);
  await host.script(command, script);
  return run(host, maxLineBytes);
}

function run(host: TemporaryHost, maxLineBytes = 1_000): Promise<{ lines: string[]; error: Error }> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    fromLines({ command: host.path(command), args: [], maxLineBytes, killAfterMs: 500 }).subscribe({
      next: (line) => lines.push(line),
      error: (error: Error) => {
        resolve({ lines, error });
      },
      complete: () => {
        reject(new Error('completed'));
      },
    });
  });
}

const endings: readonly [name: string, script: string, lines: readonly string[], problem: RegExp][] = [
  ['exit 0', 'echo a; echo b', ['a', 'b'], /ended with exit code 0$/],
  ['exit 3', 'echo a; exit 3', ['a'], /ended with exit code 3$/],
  ['killed', 'echo a; kill -9 $$', ['a'], /was killed by SIGKILL$/],
  ['stderr', 'echo a; echo "no such channel" >&2; exec sleep 60', ['a'], /wrote to stderr: no such channel$/],
  ['nothing but an end', 'exit 0', [], /ended with exit code 0$/],
  ['the end of a line is missing', 'printf "a\\nb"', ['a'], /exit code 0$/],
];
for (const [name, script, lines, problem] of endings) {
  void tap.test(`${name}: what was said, then an error that names the command`, async (t) => {
    const result = await linesOf(t, script);
    if (name === 'stderr') t.ok(result.lines.length <= 1, 'stdout and stderr have no common order');
    else t.same(result.lines, lines);
    t.equal(result.error.name, 'SourceError');
    t.match(result.error.message, problem);
    t.match(result.error, { command: /\/usr\/sbin\/talker$/ });
  });
}

void tap.test('missing', async (t) => {
  const { lines, error } = await run(await temporaryHost(t));
  t.same(lines, []);
  t.match(error.message, /talker: is missing$/);
});

void tap.test('not executable', async (t) => {
  const host = await temporaryHost(t);
  await host.write(command, 'echo a');
  t.match((await run(host)).error.message, /talker: could not be run \(EACCES\)$/);
});

void tap.test('a line and a character split over several writes', async (t) => {
  // `é` is two bytes, of which each comes in a write of its own; the pause needs no length: only the bytes decide.
  const { lines } = await linesOf(
    t,
    "printf 'one\\303'; sleep 0.05; printf '\\251 two\\n\\nthr'; sleep 0.05; printf 'ee\\n'",
  );
  t.same(lines, ['oneé two', '', 'three']);
});

void tap.test('a line that is too long is an error, and the child is ended', async (t) => {
  const { lines, error } = await linesOf(t, 'echo a; while :; do printf 0123456789; done', 5_000);
  t.same(lines, ['a']);
  t.match(error.message, /wrote a line of more than 5000 bytes$/);
});

void tap.test('the bound is in bytes: two a letter, six letters', async (t) => {
  const { lines, error } = await linesOf(t, 'echo a; echo éééééé; exec sleep 60', 10);
  t.same(lines, ['a']);
  t.match(error.message, /wrote a line of more than 10 bytes$/);
});

void tap.test(
  'without descriptors for a process: an error, and lines again when there are some',
  async (t) => {
    const host = await temporaryHost(t);
    await host.script(command, 'echo up; exec sleep 60');
    const outcome = await withoutDescriptors(`
    import { firstValueFrom } from 'rxjs';
    import { fromLines } from ${JSON.stringify(new URL('../../lib/sources/from-lines.js', import.meta.url).href)};
    const options = { command: ${JSON.stringify(host.path(command))}, args: [], maxLineBytes: 100, killAfterMs: 100 };
    const first = () => firstValueFrom(fromLines(options)).catch(({ message }) => message);
    takeAll();
    const without = await first();
    giveBack();
    console.log(JSON.stringify([without, await first()]));`);
    t.match(outcome, [/could not be run \(EMFILE\)$/, 'up']);
  },
);

void tap.test('10,000 lines are drained, in order', async (t) => {
  const { lines } = await linesOf(t, 'i=0; while [ $i -lt 10000 ]; do echo "line $i"; i=$((i+1)); done');
  t.equal(lines.length, 10_000);
  t.equal(lines[9_999], 'line 9999');
});

/** A script that prints its pid and then follows instructions; and a promise of its end. */
async function aChild(t: Test, script: string) {
  const host = await temporaryHost(t);
  await host.script(command, `echo $$ > ${host.root}/pid; echo up; ${script}`);
  const lines = fromLines({ command: host.path(command), args: [], maxLineBytes: 100, killAfterMs: 100 });
  return { host, lines, pid: async () => Number(await readFile(`${host.root}/pid`, 'utf8')) };
}

async function isGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise(setImmediate);
  }
}

for (const [name, script] of [
  ['unsubscribing ends the child', 'exec sleep 60'],
  ['unsubscribing ends a child that ignores SIGTERM', "trap '' TERM; while :; do sleep 0.02; done"],
] as const) {
  void tap.test(name, async (t) => {
    const { lines, pid } = await aChild(t, script);
    t.equal(await firstValueFrom(lines), 'up');
    await isGone(await pid());
  });
}

void tap.test('each subscription has a child of its own', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'echo $$; exec sleep 60');
  const lines = fromLines({ command: host.path(command), args: [], maxLineBytes: 100, killAfterMs: 100 });
  const pids = await Promise.all([firstValueFrom(lines), firstValueFrom(lines)]);
  t.not(pids[0], pids[1]);
  await Promise.all(pids.map((pid) => isGone(Number(pid))));
});

void tap.test('a reader that leaves in the middle of a chunk hears no more', async (t) => {
  const { lines } = await aChild(t, 'printf "1\\n2\\n3\\n"; exec sleep 60');
  t.same(await firstValueFrom(lines.pipe(take(2), toArray())), ['up', '1']);
});
