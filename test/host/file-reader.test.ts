import { execFile } from 'node:child_process';
import { mkdir, open, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import tap from 'tap';
import { readFileNow, versionNow } from '../../lib/host/file-reader.js';
import { temporaryHost } from './temporary-host.js';

/** As its owner reads it. */
const read = (path: string, maxBytes?: number) =>
  readFileNow({ path }, maxBytes === undefined ? {} : { maxBytes });

void tap.test('reads a file with its mtime', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/file', 'tête\n');
  const path = host.path('/file');
  await utimes(path, 1_000, 1_795_405_423.25);
  t.match(read(path), { type: 'read', text: 'tête\n', mtimeMs: 1_795_405_423_250 });
  await host.write('/empty', '');
  t.match(read(host.path('/empty')), { type: 'read', text: '' });
});

void tap.test(
  'a file whose size is not known beforehand is read whole',
  { skip: process.platform !== 'linux' },
  (t) => {
    t.match(read('/proc/self/status'), { text: /\nPid:/ }, 'stat says that it has 0 bytes');
    t.end();
  },
);

void tap.test('a file that does not exist is no error', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/file', '');
  for (const path of [host.path('/missing'), host.path('/file/below')]) {
    t.strictSame(read(path), { type: 'missing' });
  }
});

void tap.test('a file that cannot be read says why', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/file', '12345');
  const path = host.path('/file');
  t.match(read(path, 4), { type: 'failed', problem: 'is larger than 4 bytes' });
  t.match(read(path, 5), { text: '12345' });
  await mkdir(host.path('/directory'));
  t.match(read(host.path('/directory')), { type: 'failed', problem: 'is not a regular file' });
  await promisify(execFile)('mkfifo', [host.path('/fifo')]);
  t.match(read(host.path('/fifo')), { type: 'failed', problem: 'is not a regular file' });
  t.match(read(`${path}\0`), { type: 'failed', cause: { code: 'ERR_INVALID_ARG_VALUE' } });
  await symlink('link', host.path('/link'));
  t.match(read(host.path('/link')), { type: 'failed', problem: /cannot be read/, cause: { code: 'ELOOP' } });
});

void tap.test('a symbolic link out of the directory that a file must be in is not followed', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/secret', '{"root":"secret"}');
  await host.write('/zones/a/config/tags.json', '{"own":"tags"}');
  await host.write('/zones/b/config/tags.json', '{"others":"tags"}');
  const within = host.path('/zones/a');
  const path = `${within}/config/tags.json`;
  const readWithin = () => readFileNow({ path, within });
  t.match(readWithin(), { text: '{"own":"tags"}' });

  await rm(path);
  await symlink(host.path('/secret'), path);
  t.strictSame(readWithin().type, 'failed');
  t.match(readWithin(), { problem: 'is a symbolic link, which is not followed' });

  await rename(`${within}/config`, `${within}/real`);
  await rm(`${within}/real/tags.json`);
  await writeFile(`${within}/real/tags.json`, '{"own":"again"}');
  await symlink('real', `${within}/config`);
  t.match(readWithin(), { text: '{"own":"again"}' }, 'one that stays within the zone is');

  await rm(`${within}/config`);
  await symlink(host.path('/zones/b/config'), `${within}/config`);
  t.match(readWithin(), { type: 'failed', problem: /its directory is a symbolic link that leads out of/ });
});

void tap.test('below a directory that must exist, and does not, a missing file is a failure', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/zones/a/config/tags.json', '{}');
  const within = host.path('/zones/a');
  const request = { path: `${within}/config/routes.json`, within, withinExists: true };
  t.strictSame(readFileNow(request), { type: 'missing' });

  await rename(within, host.path('/zones/away'));
  const problem = `cannot be read: ${within} does not exist`;
  t.strictSame(readFileNow(request), { type: 'failed', problem });
  t.strictSame(readFileNow({ ...request, withinExists: false }), { type: 'missing' });
});

void tap.test('the version tells every rewrite', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/file', 'one');
  const path = host.path('/file');
  const now = () => versionNow(path, { followsLinks: false });
  /** Once the file is old enough for its times to tell. */
  const settled = async (): Promise<string> => {
    for (;;) {
      const answer = read(path);
      if (answer.type === 'read' && answer.version !== undefined) return answer.version;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  t.match(read(path), { version: undefined }, 'just written: it may be written again and look the same');
  const first = await settled();
  t.equal(now(), first);
  t.match(read(path), { text: 'one', version: first });

  const { atime, mtime } = await stat(path);
  const file = await open(path, 'r+');
  await file.write('two');
  await file.close();
  await utimes(path, atime, mtime);
  t.not(now(), first, 'in place, with the old mtime and size');

  const second = await settled();
  await writeFile(`${path}.new`, 'two');
  await utimes(`${path}.new`, atime, mtime);
  await rename(`${path}.new`, path);
  t.not(now(), second, 'by rename');

  const third = await settled();
  await rm(path);
  await symlink(host.path('/target'), path);
  await writeFile(host.path('/target'), 'two');
  t.notOk([third, '', undefined].includes(now()), 'a link is no file');
  t.equal(
    versionNow(path, { followsLinks: true }),
    versionNow(host.path('/target'), { followsLinks: false }),
  );
  await rm(path);
  t.equal(now(), '', 'nothing is there');
  t.equal(versionNow(`${path}/${'x'.repeat(300)}`, { followsLinks: false }), '', 'nor below it');
  t.equal(
    versionNow(host.path(`/${'x'.repeat(300)}`), { followsLinks: false }),
    undefined,
    'it cannot be told',
  );
});
