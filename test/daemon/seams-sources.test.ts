/** A source that works again reports it. */
import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import tap from 'tap';
import { namelessWatch } from '../host/faulty-watch.js';
import { changeOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';

void tap.test('/etc/zones could not be read once: file-events run again', { timeout: 20_000 }, async (t) => {
  const daemon = await startTestDaemon(t, { watch: namelessWatch() });
  const { host } = daemon;
  const state = async () => (await daemon.status()).sources.find(({ name }) => name === 'file-events')?.state;
  const listening = await daemon.listen();
  const [path, away] = [host.path('/etc/zones'), host.path('/tmp/away')];
  renameSync(path, away);
  symlinkSync('zones', path); // ELOOP
  await eventually(async () => (await state()) === 'degraded', 'it is noticed');
  unlinkSync(path);
  renameSync(away, path);
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
