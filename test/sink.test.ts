import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import { sink as limits } from '../lib/config.js';
import { Sink } from '../lib/sink.js';
import { eventually } from './daemon/harness.js';

const line = `${'x'.repeat(999)}\n`;
const linesThatFit = Math.floor(limits.maxUnwrittenBytes / line.length);

void tap.test('lines come out in order, once each', async (t) => {
  const { path } = fifo(t);
  const fd = openSync(path, 'r+');
  t.teardown(() => {
    closeSync(fd);
  });
  const sink = new Sink(fd);
  const lines = Array.from({ length: 1_000 }, (_, n) => `${n} ${line}`);
  for (const each of lines) sink.write(each);
  const text = await readUntil(fd, () => sink.status.unwrittenBytes === 0);
  t.equal(text, lines.join(''));
  t.strictSame(sink.status, { lostLines: 0, unwrittenBytes: 0, error: null });
});

void tap.test(
  'a reader that does not read: a bounded buffer, and the loss is said where it was',
  async (t) => {
    const { path } = fifo(t);
    const fd = openSync(path, 'r+');
    t.teardown(() => {
      closeSync(fd);
    });
    const sink = new Sink(fd);
    sink.onRoom = (lost) => {
      sink.write(`${lost} lost\n`);
    };
    for (let n = 0; n < 10 * linesThatFit; n++) sink.write(line);
    await eventually(() => sink.status.error !== null, 'the pipe is full');
    const { lostLines, unwrittenBytes, error } = sink.status;
    t.equal(lostLines, 9 * linesThatFit);
    t.ok(unwrittenBytes <= limits.maxUnwrittenBytes, `${unwrittenBytes} bytes wait`);
    t.equal(error, 'its reader does not read');
    t.equal(await sink.drained(1), false, 'it is not waited for');
    const text = await readUntil(fd, (soFar) => soFar.includes('lost\n'));
    t.equal(text, `${line.repeat(linesThatFit)}${9 * linesThatFit} lost\n`);
    sink.write('after\n');
    t.equal(await sink.drained(60_000), true);
    t.match(sink.status, { lostLines: 9 * linesThatFit, error: null });
  },
);

void tap.test('a full disk: an error that is told, and no exception', async (t) => {
  const fd = openSync('/dev/full', 'w');
  t.teardown(() => {
    closeSync(fd);
  });
  const sink = new Sink(fd);
  sink.write('a line\n');
  await eventually(() => sink.status.error !== null, 'it could not be written');
  t.match(sink.status, { error: /ENOSPC/, unwrittenBytes: 7 });
  t.equal(await sink.drained(1), false);
});

void tap.test('a pipe whose reader is gone', async (t) => {
  const { path } = fifo(t);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, 'w');
  t.teardown(() => {
    closeSync(fd);
  });
  const sink = new Sink(fd);
  closeSync(reader);
  sink.write('a line\n');
  await eventually(() => sink.status.error !== null, 'it could not be written');
  t.match(sink.status, { error: /EPIPE/ });
});

void tap.test('a file is appended to where it is', async (t) => {
  const { dir } = fifo(t);
  const fd = openSync(join(dir, 'log'), 'w');
  t.teardown(() => {
    closeSync(fd);
  });
  const sink = new Sink(fd);
  sink.write('one\n');
  t.equal(await sink.drained(60_000), true);
  sink.write('two\n');
  await sink.drained(60_000);
  t.equal(readFileSync(join(dir, 'log'), 'utf8'), 'one\ntwo\n');
});

function fifo(t: Test): { readonly dir: string; readonly path: string } {
  const dir = mkdtempSync(join(tmpdir(), 'vminfod-sink-'));
  t.teardown(() => {
    rmSync(dir, { recursive: true });
  });
  const path = join(dir, 'fifo');
  execFileSync('mkfifo', [path]);
  return { dir, path };
}

/** Reads repeatedly until there is enough. */
async function readUntil(fd: number, isEnough: (text: string) => boolean): Promise<string> {
  const nonBlocking = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(65_536);
  let text = '';
  await eventually(() => {
    try {
      text += buffer.toString('latin1', 0, readSync(nonBlocking, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      return isEnough(text);
    }
    return false;
  }, 'enough is read');
  closeSync(nonBlocking);
  return text;
}
