/** The publisher with a real daemon on a simulated host, and a real nats-server. */
import { EventEmitter, once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { headers } from '@nats-io/transport-node';
import { pino } from 'pino';
import tap from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import { connectNats, type Nats } from '../../lib/fleet/connection.js';
import { encodeMessage } from '../../lib/fleet/message.js';
import { hostSubject, vmSubject } from '../../lib/fleet/names.js';
import { observe } from '../../lib/fleet/observe.js';
import { pastChanges } from '../../lib/fleet/past.js';
import { publish } from '../../lib/fleet/publisher.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { initFleet } from '../../lib/fleet/streams.js';
import { eventually, get } from '../daemon/harness.js';
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
import { PublisherProcess } from './publisher-process.js';

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
  // A VM that is being created may be read before it is complete: then more messages follow the first.
  const { events } = await pastChanges(nats, { zonename: created }, AbortSignal.timeout(30_000));
  const [begun, ...completed] = events.map(({ type }) => type).reverse();
  t.equal(begun, 'create');
  t.ok(completed.every((type) => type === 'modify'));
});

void tap.test(
  'a daemon that answers while the first record is written is in the next',
  needsNats,
  async (t) => {
    const { server, nats } = await startTestNats(t);
    const { daemon, host } = await startHost(t);
    const client = new VminfodClient({ name: 'test publisher', url: daemon.daemon.url });
    const begun = new EventEmitter();
    const ask = client.status.bind(client);
    const answered = once(begun, 'written').then(() => ask());
    t.capture(client, 'status', () => answered);
    const own = await connectNats({ servers: [server.url] }, 'test publisher');
    const records: string[] = [];
    const send = own.jetstream.publish.bind(own.jetstream);
    t.capture(own.jetstream, 'publish', async (...args: Parameters<typeof send>) => {
      if (args[0] === hostSubject(host)) {
        records.push(String(args[1]));
        begun.emit('written');
        await answered;
      }
      return send(...args);
    });
    const stopped = new AbortController();
    const facts = { hostname: host.server, sysinfo: {}, machine: 'test', version: '0' };
    const log = pino({ level: 'silent' });
    const running = publish({ nats: own, client, host, facts, log, signal: stopped.signal });
    t.teardown(async () => {
      stopped.abort();
      await running;
      await client.close();
      await own.connection.close();
    });
    await inStep(nats, [{ daemon, host }]);
    const daemons = records.map((each) => (JSON.parse(each) as { daemon?: { state: string } }).daemon?.state);
    t.same(daemons, [undefined, 'running']);
  },
);

void tap.test('no secret of a VM is in the store of NATS, nor one that was changed', needsNats, async (t) => {
  const { server, nats } = await startTestNats(t);
  const host = await startHost(t, 8);
  await startPublisher(t, { server, ...host });
  await inStep(nats, [host]);
  const before = await host.daemon.vms();
  for (const { zonename } of before) {
    await host.daemon.host.updateConfig(zonename, {
      attrs: { 'vnc-password': `vnc ${zonename}`, alias: `now-${zonename.slice(0, 8)}` },
    });
    await host.daemon.host.setMetadata(zonename, 'internal_metadata', { root_pw: `root ${zonename}` });
  }
  await host.daemon.rescan();
  await inStep(nats, [host]);
  const after = await host.daemon.vms();
  const secrets = [...before, ...after].flatMap(secretsOf);
  const stored = readdirSync(server.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'log')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const isStored = (text: string) => stored.some((bytes) => bytes.includes(text));
  t.ok(secrets.length > 60, `${secrets.length} secrets`);
  t.strictSame(secrets.filter(isStored), []);
  const [{ alias = 'none' } = {}] = (await bucketVms(nats)).values();
  t.ok(isStored(alias), 'what is not secret is found in this way');
});

/** The texts of a VM that must not leave its host. */
function secretsOf(vm: VmObject): string[] {
  const all = [vm.customer_metadata, vm.internal_metadata, { password: vm.vnc_password }];
  return all
    .flatMap((each) => Object.values(each))
    .filter((value): value is string => typeof value === 'string' && value.length >= 8);
}

void tap.test('of two publishers of a host, one writes and the other waits', needsNats, async (t) => {
  const { server, nats } = await startTestNats(t);
  const host = await startHost(t, 4);
  const first = await startPublisher(t, { server, ...host });
  await inStep(nats, [host]);
  const second = await startPublisher(t, { server, ...host });
  const waits = ({ msg }: Record<string, unknown>) =>
    String(msg).includes('is published by another: process');
  await eventually(() => second.log.some(waits), 'the second says whom it waits for');
  const [zonename = ''] = await zonenames(nats);
  const before = await lastSequence(nats);
  await host.daemon.host.updateConfig(zonename, { attrs: { alias: 'once' } });
  await host.daemon.rescan();
  await inStep(nats, [host]);
  t.equal(await lastSequence(nats), before + 1, 'a change is written once');
  const epochOf = async () => (await readBucket(nats)).get(`${host.host.server}/${zonename}`)?.epoch ?? 0;
  const epoch = await epochOf();

  await first.stop();
  await eventually(() => second.log.some(({ msg }) => String(msg).startsWith('compared:')), 'it took over');
  t.equal(await lastSequence(nats), before + 1, 'and had nothing to write');
  await host.daemon.host.updateConfig(zonename, { attrs: { alias: 'twice' } });
  await host.daemon.rescan();
  await inStep(nats, [host]);
  t.equal(await lastSequence(nats), before + 2);
  t.ok((await epochOf()) > epoch, 'with a later epoch');

  // The first was stopped while it wrote, and its message gets there only now, with what is right by accident.
  const { revision, hash = '', vm } = (await readBucket(nats)).get(`${host.host.server}/${zonename}`) ?? {};
  const late = encodeMessage(
    zonename,
    { type: 'modify', at: new Date().toISOString(), instance: 'first', seq: 99, epoch, ...(vm && { vm }) },
    hash,
  );
  const all = headers();
  for (const [name, value] of Object.entries(late.headers)) all.set(name, value);
  await nats.jetstream.publish(vmSubject({ ...host.host, zonename }), late.body, {
    msgID: late.id,
    headers: all,
  });
  const look = (lateAfter: { epoch: number; revision: number }) =>
    observe(nats, host.host, { signal: AbortSignal.timeout(60_000), late: lateAfter });
  t.match((await look({ epoch: epoch + 1, revision: revision ?? 0 })).get(zonename), { isOurs: false });
  t.match((await look({ epoch: epoch + 1, revision: Infinity })).get(zonename), { isOurs: true, hash });
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

void tap.test('a full stream is said in /metrics, and waited for', needsNats, async (t) => {
  const { server, nats } = await startTestNats(t);
  const { daemon, host } = await startHost(t);
  const publisher = new PublisherProcess([
    ...['--servers', server.url, '--url', daemon.daemon.url, '--root', daemon.host.root, '--metrics', '0'],
    ...['--server-uuid', host.server, '--datacenter', host.datacenter],
  ]);
  t.teardown(() => publisher.end());
  await inStep(nats, [{ daemon, host }]);
  const [, url = ''] = /metrics on (http:[^"]+)/.exec(publisher.output) ?? [];
  const metric = async (name: string) =>
    new RegExp(`^vminfod_publisher_${name} (\\d+)$`, 'm').exec((await get(url)).text)?.[1];
  t.equal(await metric('up'), '1');
  t.equal(await metric('vms'), '2');
  const { bytes } = (await nats.manager.streams.info('KV_vminfo')).state;
  await t.rejects(initFleet(nats, { maxBytes: bytes - 1 }), /cannot become smaller/);
  await initFleet(nats, { maxBytes: bytes + 1 });
  const [zonename = ''] = await zonenames(nats);
  await daemon.host.updateConfig(zonename, { attrs: { alias: 'no-room' } });
  await eventually(async () => (await metric('full')) === '1', 'it is full');
  t.equal(await metric('behind'), '1');
  await initFleet(nats, { maxBytes: 2 * bytes + 100_000 });
  await inStep(nats, [{ daemon, host }]);
  await eventually(async () => (await metric('full')) === '0', 'there is room');
  await initFleet(nats);
  t.equal(
    (await nats.manager.streams.info('KV_vminfo')).config.max_bytes,
    2 * bytes + 100_000,
    'init keeps it',
  );
});

/** Of the VMs in the bucket. */
async function zonenames(nats: Nats): Promise<string[]> {
  return [...(await bucketVms(nats)).values()].map(({ zonename }) => zonename);
}
