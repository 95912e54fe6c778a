/** What VMs have used of their disks: read when asked, and no event tells of it. */
import tap from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import { shareOf, spaceUse } from '../../lib/vm/usage.js';
import { run } from '../cli/run.js';
import { startTestDaemon } from './harness.js';

void tap.test('writing to a disk is seen by who asks, and makes no event', async (t) => {
  const { host, daemon, vms, listen, rescan } = await startTestDaemon(t, { vms: 6 });
  await using client = new VminfodClient({ url: daemon.url, name: 'usage.test' });
  const vm = (await vms()).find(({ brand }) => brand === 'joyent');
  if (vm?.zfs_filesystem === undefined) throw new Error('the simulated host has no native zone');
  const listening = await listen();
  await host.zfs('set', 'quota=20g', vm.zfs_filesystem);
  await listening.until(({ vm: changed }) => changed?.quota === 20);
  await host.writeData(vm.zfs_filesystem, 2 ** 30);
  host.resetInvocations();
  const { vms: usage } = await client.usage();
  t.equal(Object.keys(usage).length, 6);
  const use = spaceUse({ ...vm, quota: 20 }, usage[vm.zonename]);
  if (use === undefined) throw new Error(`nothing is known of ${vm.zonename}`);
  t.ok(use.usedMiB >= 1024, `${use.usedMiB} MiB are used`);
  t.equal(use.limitMiB, 20 * 1024);
  await client.usage();
  t.equal(host.invocations('zfs').length, 1, 'asked twice, read once');

  await rescan();
  await host.setTags(vm.zonename, { last: 'one' });
  const events = await listening.until(({ zonename }) => zonename === vm.zonename);
  t.match(events, { type: 'modify' }, 'the first event is that of the tag');

  const percent = `${Math.round(shareOf(use) * 100)}%`;
  const { stdout } = await run(daemon.url, ['top', '-1', '-s', 'used', '-r']);
  t.match(stdout, new RegExp(`${vm.alias?.slice(0, 12) ?? ''}.* 20G +${percent}`), 'top shows it');
});

void tap.test('a zfs that fails leaves all else alone', async (t) => {
  const { host, daemon, get } = await startTestDaemon(t, { vms: 2 });
  host.setFault('zfs', { match: 'used,referenced', exitCode: 1, stderr: 'out of order' });
  t.match(await get('/usage'), { status: 503, json: { code: 'LoadError', message: /out of order/ } });
  t.equal((await get('/vms')).status, 200);
  const { status, stdout } = await run(daemon.url, ['top', '-1']);
  t.equal(status, 0);
  t.match(stdout, /2 VMs/);
});
