/** With README's rules, what a host can do to another's. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { headers } from '@nats-io/transport-node';
import tap from 'tap';
import { connectNats } from '../../lib/fleet/connection.js';
import { encodeMessage, hashOf } from '../../lib/fleet/message.js';
import { observe } from '../../lib/fleet/observe.js';
import { initFleet } from '../../lib/fleet/streams.js';
import { aVm } from '../client/a-vm.js';
import { bucketVms, inStep, startHost, startPublisher } from './harness.js';
import { eventually } from '../daemon/harness.js';
import { needsNats, startNatsServer } from './nats-server.js';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const [, rules = ''] = /```text\n(authorization \{[^`]*)```/.exec(readme) ?? [];

const a = { datacenter: 'emy-17', server: '564dba97-54f6-4d3d-50d4-a5bea7d3b1f4' };
const b = { datacenter: 'emy-17', server: '00000000-0000-4000-8000-000000000002' };
const subjectOf = ({ datacenter, server }: typeof a, zonename: string) =>
  `$KV.vminfo.${datacenter}.${server}.${zonename}`;

void tap.test('a host can write what is its own and nothing else', needsNats, async (t) => {
  t.match(rules, /CONSUMER/, 'README has the rules');
  const server = await startNatsServer({ config: rules });
  t.teardown(() => server.remove());
  const login = (user: string, password: string) => server.url.replace('//', `//${user}:${password}@`);
  const admin = await connectNats({ servers: [login('operator', 'change-me')] }, 'operator');
  const host = await connectNats(
    { servers: [login('host-a', 'change-me-too')], inboxPrefix: `_INBOX_${a.server}` },
    'host a',
  );
  t.teardown(async () => {
    await host.connection.close();
    await admin.connection.close();
  });
  await initFleet(admin);

  const vm = aVm({ alias: 'b' });
  const mark = { type: 'create', at: '2026-11-27T12:00:00.000Z', instance: 'i', seq: 1, epoch: 1 } as const;
  const put = async (nats: typeof host, owner: typeof a, extra: Record<string, string> = {}) => {
    const message = encodeMessage(
      vm.zonename,
      {
        type: 'create',
        at: '2026-11-27T12:00:00.000Z',
        instance: 'i',
        seq: Math.ceil(Math.random() * 1e9),
        epoch: 1,
        vm,
      },
      hashOf(vm),
    );
    const all = headers();
    for (const [name, value] of Object.entries({ ...message.headers, ...extra })) all.set(name, value);
    return nats.jetstream.publish(subjectOf(owner, vm.zonename), message.body, {
      msgID: message.id,
      headers: all,
      timeout: 500,
    });
  };
  await put(admin, b);
  t.ok(await put(host, a), 'its own');
  t.equal(
    (await observe(host, a, { signal: AbortSignal.timeout(10_000) })).size,
    1,
    'it can look at its own',
  );
  const before = await bucketVms(admin);
  t.equal(before.size, 2);

  const api = (subject: string, body: object = {}) =>
    host.connection.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 500 });
  const other = subjectOf(b, '*');
  const consumer = (name: string, config: object) => ({
    stream_name: 'KV_vminfo',
    config: {
      name,
      deliver_policy: 'all',
      ack_policy: 'none',
      deliver_subject: `_INBOX_${a.server}.x`,
      ...config,
    },
  });
  const hostSubjectOf = ({ datacenter, server: uuid }: typeof a) => `$KV.vminfo_hosts.${datacenter}.${uuid}`;
  const listen = (subject: string) =>
    new Promise((resolve, reject) => {
      const callback = (error: Error | null, message: unknown) => {
        if (error) reject(error);
        else resolve(message);
      };
      host.connection.subscribe(subject, { callback });
    });
  const marker = headers();
  marker.set('KV-Operation', 'DEL');
  const denied: readonly [what: string, attempt: () => Promise<unknown>][] = [
    ['write', () => put(host, b)],
    [
      'mark as deleted',
      () => host.jetstream.publish(subjectOf(b, vm.zonename), '', { headers: marker, timeout: 500 }),
    ],
    ["write the host's record", () => host.jetstream.publish(hostSubjectOf(b), '{}', { timeout: 500 })],
    ['listen to writes', () => listen('$KV.vminfo.>')],
    ['listen to replies', () => listen('_INBOX.>')],
    ['read the record', () => api(`DIRECT.GET.KV_vminfo_hosts.${hostSubjectOf(b)}`)],
    ['consume records', () => api('CONSUMER.CREATE.KV_vminfo_hosts', consumer('', {}))],
    [
      'consume durably',
      () => api('CONSUMER.DURABLE.CREATE.KV_vminfo.d', consumer('d', { durable_name: 'd' })),
    ],
    ['remove a consumer', () => api('CONSUMER.DELETE.KV_vminfo.d')],
    ['take messages of a consumer', () => api('CONSUMER.MSG.NEXT.KV_vminfo.d')],
    ['list consumers', () => api('CONSUMER.NAMES.KV_vminfo')],
    ['copy the stream', () => api('STREAM.SNAPSHOT.KV_vminfo', { deliver_subject: `_INBOX_${a.server}.x` })],
    ['restore a stream', () => api('STREAM.RESTORE.KV_vminfo')],
    ['mirror the stream', () => api('STREAM.CREATE.mine', { name: 'mine', mirror: { name: 'KV_vminfo' } })],
    ['purge the hosts', () => api('STREAM.PURGE.KV_vminfo_hosts')],
    ['roll up a subject', () => put(host, a, { 'Nats-Rollup': 'sub' })],
    ['roll up all', () => put(host, a, { 'Nats-Rollup': 'all' })],
    ['purge', () => api('STREAM.PURGE.KV_vminfo', { filter: other })],
    ['delete a message', () => api('STREAM.MSG.DELETE.KV_vminfo', { seq: 1 })],
    ['read a message', () => api('STREAM.MSG.GET.KV_vminfo', { seq: 1 })],
    ['read directly', () => api(`DIRECT.GET.KV_vminfo.${subjectOf(b, vm.zonename)}`)],
    ['read directly by number', () => api('DIRECT.GET.KV_vminfo', { seq: 1 })],
    ['delete the stream', () => api('STREAM.DELETE.KV_vminfo')],
    ['change the stream', () => api('STREAM.UPDATE.KV_vminfo', { name: 'KV_vminfo', subjects: ['x'] })],
    ['consume all', () => api('CONSUMER.CREATE.KV_vminfo', consumer('', {}))],
    ['consume all by name', () => api('CONSUMER.CREATE.KV_vminfo.n', consumer('n', {}))],
    ['consume', () => api(`CONSUMER.CREATE.KV_vminfo.n.${other}`, consumer('n', { filter_subject: other }))],
  ];
  for (const [what, attempt] of denied) await t.rejects(attempt(), what);
  // The server answers before it writes its log.
  const violations = () =>
    readFileSync(join(server.directory, 'log'), 'utf8').match(/(Publish|Subscription) Violation/g)?.length;
  const byTheRules = denied.length - 2;
  await eventually(() => (violations() ?? 0) >= byTheRules, 'the server has logged the violations');
  t.equal(violations(), byTheRules, 'all by the rules, but for the roll-ups, which the stream refuses');
  const trick = await api(
    `CONSUMER.CREATE.KV_vminfo.n.${subjectOf(a, '*')}`,
    consumer('n', { filter_subject: other }),
  );
  t.match(trick.json(), { error: { code: 400 } }, 'one subject in the request, another in its body');
  t.strictSame(await bucketVms(admin), before, 'the other host is as it was');

  // NATS does not ask whether an answer may go where it is sent to. What gets there so is not read as a VM.
  const target = subjectOf(b, vm.zonename);
  const own = subjectOf(a, vm.zonename);
  const lastOf = async () =>
    (await admin.manager.direct.getMessage('KV_vminfo', { last_by_subj: target }))?.string();
  const forged = encodeMessage(vm.zonename, { ...mark, vm: { ...vm, alias: 'forged' } }, hashOf(vm));
  // With an id, the server would know that it has it already.
  await host.jetstream.publish(own, forged.body);
  host.connection.publish(`$JS.API.DIRECT.GET.KV_vminfo.${own}`, '', { reply: target });
  await eventually(async () => (await lastOf())?.includes('forged') === true, 'it got there');
  t.notOk((await bucketVms(admin)).has(`${b.server}/${vm.zonename}`), 'and is no VM');
  const observed = (await observe(admin, b, { signal: AbortSignal.timeout(10_000) })).get(vm.zonename);
  t.match(observed, { isOurs: false }, 'its own publisher sees that, and writes it again');

  // What the rules allow is enough to publish.
  await admin.manager.streams.purge('KV_vminfo');
  const real = { ...(await startHost(t)), host: a };
  const url = login('host-a', 'change-me-too');
  await startPublisher(t, { server, ...real, url, inboxPrefix: `_INBOX_${a.server}` });
  await inStep(admin, [real]);
});
