/**
 * The agents that live on such a host, through restarts of both sides: in the end each has the picture that the daemon
 * has. `AGENTS_SECONDS=3600` for an hour of simulated life.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { NEVER } from 'rxjs';
import tap from 'tap';
import { project, parseFields } from '../../lib/vm/fields.js';
import { startDaemon, type Daemon } from '../../lib/daemon.js';
import { createRandom, createSimulatedHost, performAction } from '../../lib/simulator/index.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { eventually, get } from '../daemon/harness.js';
import { startComputeNodeAgent } from './compute-node-agent.js';
import { startMonitoringAgent } from './monitoring-agent.js';
import { startNetworkAgent } from './network-agent.js';
import { startVmAgent } from './vm-agent.js';

/** One action a second is what a host sees; they are done as fast as they can be. */
const seconds = Number(process.env['AGENTS_SECONDS'] ?? 300);
const rounds = 4;

void tap.test(`four agents through ${seconds} s of life, and restarts of both sides`, async (t) => {
  const host = await createSimulatedHost({ vms: 8 });
  t.teardown(() => host.remove());
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let daemon: Daemon | undefined;
  t.teardown(() => daemon?.close());
  const start = async () => {
    const log = pino({ level: 'silent' });
    const options = { listen: '127.0.0.1', port, rescanIntervalMs: 2 ** 31 - 1, requests: NEVER, log };
    daemon = await startDaemon({ root: host.root, ...options });
    await eventually(async () => (await get(`${url}/ping`)).status === 200, 'the daemon is ready');
  };
  const stop = async () => {
    await daemon?.close();
    await daemon?.ended;
  };

  // They are there before the daemon is.
  const startAll = () => ({
    vm: startVmAgent(url),
    network: startNetworkAgent(url),
    monitoring: startMonitoringAgent(url, 200),
    compute: startComputeNodeAgent(url, 100),
  });
  let agents = startAll();
  await eventually(() => agents.compute.failures > 3, 'there is nobody yet');
  t.ok(agents.monitoring.failures > 0);
  t.strictSame(agents.vm.picture(), {});

  const random = createRandom(11);
  for (let round = 1; round <= rounds; round++) {
    await start();
    for (let second = 0; second < seconds / rounds / 2; second++) await performAction(host, random);
    if (round % 2 === 1) {
      await Promise.all(Object.values(agents).map((agent) => agent.stop()));
      agents = startAll();
    }
    for (let second = 0; second < seconds / rounds / 2; second++) await performAction(host, random);
    if (round === rounds) break;
    await stop();
    // Life goes on without it.
    for (let second = 0; second < 5; second++) await performAction(host, random);
  }

  const truth = async () => (await get(`${url}/vms`)).json as VmObject[];
  const pictures: Readonly<Record<keyof typeof agents, (vms: readonly VmObject[]) => [string, unknown][]>> = {
    vm: (vms) => vms.map((vm) => [vm.zonename, vm]),
    network: (vms) =>
      vms.flatMap(({ zonename, nics = [] }) =>
        nics.map(({ mac }): [string, unknown] => [mac ?? '', zonename]),
      ),
    monitoring: (vms) => vms.map((vm) => [vm.zonename, project(parseFields('uuid,state,quota,nics.ip'), vm)]),
    compute: (vms) => vms.map((vm) => [vm.zonename, vm.state]),
  };
  for (const [name, picture] of Object.entries(pictures)) {
    const agent = agents[name as keyof typeof agents];
    const expected = async () => JSON.stringify(Object.fromEntries(picture(await truth()).sort()));
    await eventually(async () => JSON.stringify(agent.picture()) === (await expected()), `${name} is right`);
    t.pass(
      `${agent.name} has the right picture, after ${agent.requests} requests, ${agent.failures} in vain`,
    );
  }
  t.ok(agents.vm.requests > 0);
  t.equal(agents.network.failures, 0, 'every delete said what was deleted');
  t.notOk(agents.compute.servers.has(undefined), 'every line said of which host it is');
  t.equal(agents.compute.servers.size, 1);
  t.comment(`slowest answer to the monitoring agent: ${agents.monitoring.slowestMs.toFixed(0)} ms`);
  await Promise.all(Object.values(agents).map((agent) => agent.stop()));
  await stop();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
