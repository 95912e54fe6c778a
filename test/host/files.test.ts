import { execFile } from 'node:child_process';
import { mkdir, open, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import tap from 'tap';
import { fingerprint, readTextFile, sameFingerprint } from '../../lib/host/files.js';
import { temporaryHost } from './temporary-host.js';

void tap.test('reads a file with its mtime', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/file', 'tête\n');
  const path = host.path('/file');
  await utimes(path, 1_000, 1_795_405_423.25);
  t.same(await readTextFile(path), { value: 'tête\n', mtimeMs: 1_795_405_423_250 });
  await host.write('/empty', '');
  t.match(await readTextFile(host.path('/empty')), { value: '' });
});

void tap.test(
  'a file whose size is not known beforehand is read whole',
  { skip: process.platform !== 'linux' },
  async (t) => {
    t.ok(
      (await readTextFile('/proc/self/status'))?.value.includes('\nPid:'),
      'stat says that it has 0 bytes',
    );
  },
);

void tap.test('a file that does not exist is undefined', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/file', '');
  for (const path of [host.path('/missing'), host.path('/file/below')]) {
    t.equal(await readTextFile(path), undefined);
    t.equal(await fingerprint(path), undefined);
  }
});

void tap.test('a file that cannot be read is a named error', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/file', '12345');
  const path = host.path('/file');
  await t.rejects(readTextFile(path, 4), {
    name: 'FileError',
    path,
    message: `${path}: is larger than 4 bytes`,
  });
  t.match(await readTextFile(path, 5), { value: '12345' });
  await mkdir(host.path('/directory'));
  await t.rejects(readTextFile(host.path('/directory')), {
    name: 'FileError',
    message: /is not a regular file/,
  });
  await promisify(execFile)('mkfifo', [host.path('/fifo')]);
  await t.rejects(readTextFile(host.path('/fifo')), { name: 'FileError', message: /is not a regular file/ });
  await t.rejects(readTextFile(`${path}\0`), { name: 'FileError', cause: { code: 'ERR_INVALID_ARG_VALUE' } });
});

void tap.test('a fingerprint tells every rewrite', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/file', 'one');
  const path = host.path('/file');
  const first = await fingerprint(path);
  t.ok(sameFingerprint(first, await fingerprint(path)));
  t.ok(sameFingerprint(undefined, undefined));
  t.notOk(sameFingerprint(first, undefined));
  t.type(first?.mtimeNs, 'bigint');

  const { atime, mtime } = await stat(path);
  const file = await open(path, 'r+');
  await file.write('two');
  await file.close();
  await utimes(path, atime, mtime);
  const inPlace = await fingerprint(path);
  t.notOk(sameFingerprint(first, inPlace), 'in place, with the old mtime and size');

  await writeFile(`${path}.new`, 'two');
  await utimes(`${path}.new`, atime, mtime);
  await rename(`${path}.new`, path);
  t.notOk(sameFingerprint(inPlace, await fingerprint(path)), 'by rename');

  await rm(path);
  t.notOk(sameFingerprint(inPlace, await fingerprint(path)), 'deleted');
});
