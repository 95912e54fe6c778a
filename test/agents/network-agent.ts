/**
 * Like an agent that keeps the addresses of a host: it follows the NICs by events alone, and frees the addresses of a
 * deleted VM as of its last event. On the client library.
 */
import { VminfodClient } from '../../lib/index.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import type { Agent } from './agent.js';

export function startNetworkAgent(url: string): Agent {
  const stopped = new AbortController();
  const client = new VminfodClient({ url, name: 'network-agent', signal: stopped.signal });
  /** The zone of each MAC address. */
  const owners = new Map<string, string>();
  let failures = 0;

  const take = (vm: VmObject) => {
    for (const { mac } of vm.nics) if (mac !== undefined) owners.set(mac, vm.zonename);
  };
  const free = (vm: VmObject | undefined) => {
    if (vm === undefined) failures++;
    for (const { mac } of vm?.nics ?? []) if (mac !== undefined) owners.delete(mac);
  };
  const run = async () => {
    // It restarts as often as it likes, also before there is a daemon: this waits.
    await client.ready();
    for await (const event of client.events({ patienceMs: Infinity })) {
      if (event.type === 'ready') for (const vm of event.vms) take(vm);
      else if (event.type === 'delete') free(event.vm);
      else {
        for (const [mac, zonename] of owners) if (zonename === event.zonename) owners.delete(mac);
        take(event.vm);
      }
    }
  };
  const running = run().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });
  return {
    name: 'network-agent',
    picture: () => Object.fromEntries([...owners].sort()),
    requests: 1,
    get failures() {
      return failures;
    },
    stop: async () => {
      stopped.abort();
      await running;
      await client.close();
    },
  };
}
