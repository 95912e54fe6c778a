/** The publisher with a real daemon on a simulated host, and a real nats-server. */
import tap from 'tap';
import type { Nats } from '../../lib/fleet/connection.js';
import { eventually } from '../daemon/harness.js';
import {
  bucketVms,
  expectedVms,
  inStep,
  lastSequence,
  readBucket,
  startHost,
  startPublisher,
  startTestNats,
} from './harness.js';
import { needsNats } from './nats-server.js';

void tap.test('what the host has is in the bucket, and each change of it', needsNats, async (t) => {
  const { server, nats } = await startTestNats(t);
  const host = await startHost(t);
  await startPublisher(t, { server, ...host });
  await inStep(nats, [host]);
  t.strictSame(await bucketVms(nats), await expectedVms([host]));

  const [first = '', second = ''] = await zonenames(nats);
  await host.daemon.host.updateConfig(first, { attrs: { alias: 'renamed' } });
  await host.daemon.host.destroyZone(second);
  const created = await host.daemon.host.createZone({ kind: 'lx' });
  await host.daemon.rescan();
  await inStep(nats, [host]);
  const all = await readBucket(nats);
  const message = (zonename: string) => all.get(`${host.host.server}/${zonename}`);
  t.equal(message(first)?.type, 'modify');
  t.match(
    message(first)?.changes?.find(({ prettyPath }) => prettyPath === 'alias'),
    { newValue: 'renamed' },
  );
  t.equal(message(second)?.type, 'delete');
  t.equal(message(created)?.type, 'create');
});

void tap.test(
  'a restart with nothing changed writes nothing; what changed meanwhile is written',
  needsNats,
  async (t) => {
    const { server, nats } = await startTestNats(t);
    const host = await startHost(t, 6);
    const first = await startPublisher(t, { server, ...host });
    await inStep(nats, [host]);
    await first.stop();
    const before = await lastSequence(nats);

    const second = await startPublisher(t, { server, ...host });
    const [zonename = '', gone = ''] = await zonenames(nats);
    await eventually(
      () => second.log.some(({ msg }) => String(msg).startsWith('compared: 0 of')),
      'it has compared',
    );
    await second.stop();
    t.equal(await lastSequence(nats), before);

    await host.daemon.host.setTags(zonename, { role: 'changed' });
    await host.daemon.host.destroyZone(gone);
    await host.daemon.rescan();
    await startPublisher(t, { server, ...host });
    await inStep(nats, [host]);
    t.equal(await lastSequence(nats), before + 2);
    const message = (await readBucket(nats)).get(`${host.host.server}/${zonename}`);
    t.ok(
      message?.changes?.some(({ prettyPath }) => prettyPath === 'tags.role'),
      'from the message before',
    );
  },
);

/** Of the VMs in the bucket. */
async function zonenames(nats: Nats): Promise<string[]> {
  return [...(await bucketVms(nats)).values()].map(({ zonename }) => zonename);
}
