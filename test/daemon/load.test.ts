/** Under load: slow commands delay nobody else, and many events cost few commands. */
import { performance } from 'node:perf_hooks';
import tap from 'tap';
import { historyLine, type SimulatedDataset } from '../../lib/simulator/index.js';
import { changeOf, eventsSufficed, zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';

void tap.test(
  'with full listings slowed to 30 s, 100 quota changes during a rescan are as quick as ever',
  async (t) => {
    const daemon = await startTestDaemon(t, { vms: 10 });
    const { host } = daemon;
    const zonenames = host.zonenames().filter((zonename) => host.zone(zonename).config.brand !== 'bhyve');
    const listening = await daemon.listen();
    const changeQuotas = async (first: number, count: number): Promise<number[]> => {
      const times: number[] = [];
      for (let quota = first; quota < first + count; quota++) {
        const zonename = zonenames[quota % zonenames.length] ?? '';
        const from = listening.events.length;
        const startedAt = performance.now();
        await host.zfs('set', `quota=${quota}g`, `zones/${zonename}`);
        await listening.until(changeOf(zonename, 'quota', quota), from);
        times.push(performance.now() - startedAt);
      }
      return times;
    };
    await changeQuotas(100, 10); // warms up
    const idle = await changeQuotas(200, 50);
    host.setFault('zfs', { full: true, delayMs: 30_000 });
    host.resetInvocations();
    const rescan = daemon.rescan().catch(() => undefined);
    await eventually(() => host.invocations('zfs').length === 1, 'the listing runs');
    const during = await changeQuotas(300, 100);
    t.notOk(
      daemon.log.some(({ msg }) => String(msg).startsWith('rescan (test)')),
      'the listing still runs',
    );
    const ratio = quantile(during, 0.5) / quantile(idle, 0.5);
    t.comment(
      `p50 ${inMs(idle, 0.5)} idle, ${inMs(during, 0.5)} during the rescan: ratio ${ratio.toFixed(2)}`,
    );
    t.comment(`p99 ${inMs(idle, 0.99)} idle, ${inMs(during, 0.99)} during the rescan`);
    t.ok(ratio < 3, 'the usual latency');
    t.ok(Math.max(...during) < 5_000, 'none of them waited for the listing');
    void rescan;
  },
);

void tap.test(
  '2,000 ZFS events in a second over 200 zones: the final state is right, with few zfs',
  async (t) => {
    const daemon = await startTestDaemon(t, { vms: 200 });
    const { host } = daemon;
    const zonenames = host.zonenames();
    const listening = await daemon.listen();
    const datasets = zonenames.map((zonename) => host.dataset(`zones/${zonename}`));
    host.resetInvocations();
    const rounds = 10;
    for (let round = 1; round <= rounds; round++) {
      const due = performance.now() + 1_000 / rounds;
      // The datasets really change in the first, the fifth and the last of the rounds.
      const quota = 300 + round;
      if ([1, 5, rounds].includes(round))
        await host.importDatasets(datasets.map((each) => withQuota(each, quota)));
      const detail = `quota=${quota * 2 ** 30}`;
      host.postEvents(
        'zfs',
        zonenames.map((name) => historyLine({ name: 'set', dataset: `zones/${name}`, detail, txg: round })),
      );
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
    for (const zonename of zonenames) await listening.until(changeOf(zonename, 'quota', 300 + rounds));
    await eventually(async () => (await daemon.status()).queue.idle, 'all is done');
    const started = host.invocations('zfs').length;
    t.comment(`${started} zfs processes, ${listening.events.length} events`);
    t.ok(started < 40, `fewer than 40 zfs (${started})`);
    for (const vm of await daemon.vms()) t.equal(vm.quota, 300 + rounds);
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('clone and destroy storms: 25 VMs come and go', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const listening = await daemon.listen();
  const kept = zoneOf(host, 'joyent-minimal');
  const created: string[] = [];
  for (let index = 0; index < 25; index++) {
    created.push(await host.createZone());
    const last = created[index - 5];
    if (last !== undefined) await host.destroyZone(last);
    if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await host.setTags(kept, { role: 'kept' });
  await listening.until(changeOf(kept, 'tags.role', 'kept'));
  await eventually(async () => {
    const names = (await daemon.vms()).map(({ zonename }) => zonename).sort();
    return names.join() === host.zonenames().join();
  }, 'those that are left are there');
  await eventually(async () => (await daemon.status()).queue.idle, 'all is done');
  t.match(await daemon.status(), { loadErrors: [] });
  await eventsSufficed(t, daemon, listening);
});

function withQuota(dataset: SimulatedDataset | undefined, GiB: number): SimulatedDataset {
  if (dataset === undefined) throw new Error('a VM has no dataset');
  const bytes = GiB * 2 ** 30;
  return { ...dataset, properties: { ...dataset.properties, quota: bytes, refquota: bytes } };
}

function quantile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

function inMs(times: readonly number[], part: number): string {
  return `${quantile(times, part).toFixed(1)} ms`;
}
