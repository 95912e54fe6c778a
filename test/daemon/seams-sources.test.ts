/** A source that works again says so. */
import { renameSync, symlinkSync, unlinkSync, watch as fsWatch } from 'node:fs';
import tap from 'tap';
import { changeOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';

void tap.test('/etc/zones could not be read once: file-events run again', { timeout: 20_000 }, async (t) => {
  // As on illumos, fs.watch says of a directory that something has changed in it, and not what.
  let tell: () => void = () => undefined;
  const daemon = await startTestDaemon(t, {
    watch: (path, listener) => {
      if (path.endsWith('/etc/zones')) {
        tell = () => {
          listener('rename', null);
        };
      }
      return fsWatch(path, { persistent: false }, listener);
    },
  });
  const { host } = daemon;
  const state = async () => (await daemon.status()).sources.find(({ name }) => name === 'file-events')?.state;
  const listening = await daemon.listen();
  const [path, away] = [host.path('/etc/zones'), host.path('/tmp/away')];
  renameSync(path, away);
  symlinkSync('zones', path); // ELOOP
  tell();
  await eventually(async () => (await state()) === 'degraded', 'it is noticed');
  unlinkSync(path);
  renameSync(away, path);
  tell();
  await daemon.rescan();
  await eventually(async () => (await state()) === 'running', 'it is well again');
  const [zonename = ''] = host.zonenames();
  await host.updateConfig(zonename, { attrs: { alias: 'renamed' } });
  await listening.until(changeOf(zonename, 'alias', 'renamed'));
  t.equal((await daemon.vms()).length, 3);
  t.notOk(
    listening.events.some(({ type }) => type !== 'modify'),
    'no VM was gone',
  );
});
