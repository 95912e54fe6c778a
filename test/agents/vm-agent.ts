/**
 * Like an agent that reports VMs to a data centre: loads the whole object after each event, and compares everything after
 * each reconnect. On the client library.
 */
import { VminfodClient } from '../../lib/index.js';
import { NotFoundError } from '../../lib/client/errors.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import type { Agent } from './agent.js';

export function startVmAgent(url: string): Agent {
  const stopped = new AbortController();
  const client = new VminfodClient({ url, name: 'vm-agent', signal: stopped.signal });
  const vms = new Map<string, VmObject>();
  let requests = 0;
  let failures = 0;

  const load = async (zonename: string) => {
    requests++;
    try {
      vms.set(zonename, await client.vm(zonename));
    } catch (error) {
      if (error instanceof NotFoundError) vms.delete(zonename);
      else failures++; // The daemon went away: the reconnect compares everything.
    }
  };
  const compareAll = async () => {
    requests++;
    try {
      const all = await client.vms();
      vms.clear();
      for (const vm of all) vms.set(vm.zonename, vm);
    } catch {
      failures++;
    }
  };
  const run = async () => {
    const events = client.events({ patienceMs: Infinity, onReconnect: () => void compareAll() });
    for await (const event of events) {
      if (event.type === 'ready') for (const vm of event.vms) vms.set(vm.zonename, vm);
      else await load(event.zonename);
    }
  };
  const running = run().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });
  return {
    name: 'vm-agent',
    picture: () => Object.fromEntries([...vms].sort()),
    get requests() {
      return requests;
    },
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
