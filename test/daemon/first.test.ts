import tap from 'tap';
import { startTestDaemon } from './harness.js';

void tap.test('serves the VMs of the host, and tells of a change', async (t) => {
  const { host, vms, listen, vm } = await startTestDaemon(t);
  t.equal((await vms()).length, 3);
  const listening = await listen();
  const [zonename = ''] = host.zonenames();
  await host.setTags(zonename, { role: 'db' });
  const event = await listening.until((each) => each.zonename === zonename);
  t.match(event, { type: 'modify' });
  t.match(await vm(zonename), { tags: { role: 'db' } });
});
