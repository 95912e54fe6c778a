/** A cluster that loses its leader under load. */
import { performance } from 'node:perf_hooks';
import type { Test } from 'tap';
import { FleetClient } from '../../lib/fleet/client.js';
import { connectNats } from '../../lib/fleet/connection.js';
import { vmStream } from '../../lib/fleet/names.js';
import { initFleet } from '../../lib/fleet/streams.js';
import type { VmEvent } from '../../lib/vm/event.js';
import { eventually } from '../daemon/harness.js';
import { startCluster } from './cluster.js';
import { duplicateIds, inStep, startHost, startPublisher } from './harness.js';

/** Afterwards nothing is lost or there twice. Says how long it took until changes were seen again. */
export async function loseLeaders(t: Test): Promise<void> {
  const { servers, urls, isWhole: areServersWhole } = await startCluster(t);
  const nats = await connectNats({ servers: urls }, 'test');
  t.teardown(() => nats.connection.close());
  await eventually(
    () =>
      initFleet(nats, { replicas: 3 }).then(
        () => true,
        () => false,
      ),
    'the cluster takes the streams',
  );
  const { daemon, host } = await startHost(t);
  await startPublisher(t, { daemon, host, urls });
  await inStep(nats, [{ daemon, host }]);
  const fleet = await FleetClient.connect({ servers: urls, name: 'test' });
  t.teardown(() => fleet.close());
  const [vm] = await fleet.vms();
  const zonename = vm?.zonename ?? '';

  const seen: number[] = [];
  const follow = async () => {
    for await (const event of fleet.events({ zonename })) {
      const { alias } = (event as VmEvent).vm ?? {};
      if (event.type === 'modify' && alias?.startsWith('n')) seen.push(Number(alias.slice(1)));
    }
  };
  const following = follow().catch((error: unknown) => error);
  let count = 0;
  let isLoaded = true;
  const load = async () => {
    while (isLoaded) {
      await daemon.host.updateConfig(zonename, { attrs: { alias: `n${++count}` } });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const loading = load();
  await eventually(() => seen.length > 10, 'changes are seen');

  const leader = async () => {
    let name: string | undefined;
    await eventually(async () => {
      name = await nats.manager.streams.info(vmStream).then(
        ({ cluster }) => cluster?.leader,
        () => undefined, // Between two leaders.
      );
      return name !== undefined;
    }, 'there is a leader');
    return servers.get(name ?? '');
  };
  const isWhole = async () => {
    if (!(await areServersWhole())) return false;
    const { cluster } = await nats.manager.streams.info(vmStream);
    const replicas = cluster?.replicas ?? [];
    return replicas.length === 2 && replicas.every(({ current, offline }) => current && !offline);
  };
  for (const fault of ['SIGKILL', 'SIGSTOP'] as const) {
    await eventually(() => isWhole().catch(() => false), 'the cluster is whole');
    const server = await leader();
    const written = count;
    const at = performance.now();
    if (fault === 'SIGKILL') await server?.crash();
    else server?.kill(fault);
    await eventually(() => (seen.at(-1) ?? 0) > written, `changes after ${fault} are seen`);
    t.comment(
      `${fault} of the leader: changes are seen again after ${Math.round(performance.now() - at)} ms`,
    );
    if (fault === 'SIGKILL') await server?.start();
    else server?.kill('SIGCONT');
  }
  isLoaded = false;
  await loading;
  await daemon.rescan();
  await inStep(nats, [{ daemon, host }]);
  await eventually(() => seen.at(-1) === count, 'the last change is seen');
  t.strictSame(
    seen,
    [...new Set(seen)].sort((a, b) => a - b),
    'nothing twice or backwards',
  );
  t.strictSame(await duplicateIds(nats), []);
  await fleet.close();
  await following;
}
