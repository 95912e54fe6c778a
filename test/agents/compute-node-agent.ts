/**
 * Like the agent of a compute node, kept by a supervisor: it reads the event stream with plain HTTP and line splitting,
 * dies whenever the stream ends or the service is away, and is restarted a moment later. It keeps its knowledge on
 * "disk", and so resumes.
 */
import { get as httpGet, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { pause, type Agent } from './agent.js';

interface Line {
  readonly type: string;
  readonly instance?: string;
  readonly seq?: number;
  readonly resumed?: boolean;
  readonly server_uuid?: string;
  readonly zonename?: string;
  readonly vms?: readonly VmObject[];
  readonly vm?: VmObject;
}

export function startComputeNodeAgent(
  url: string,
  restartMs: number,
): Agent & { readonly servers: ReadonlySet<string | undefined>; readonly resumed: number } {
  const stopped = new AbortController();
  const servers = new Set<string | undefined>();
  const states = new Map<string, string>();
  let place = '';
  let instance = '';
  let requests = 0;
  let failures = 0;
  let resumed = 0;

  const apply = (line: Line) => {
    if (line.instance !== undefined) instance = line.instance;
    if (line.seq !== undefined) place = `${instance}:${line.seq}`;
    if (line.type !== 'heartbeat') servers.add(line.server_uuid);
    if (line.type === 'ready' && line.resumed === true) resumed++;
    if (line.type === 'ready' && line.resumed !== true) {
      states.clear();
      for (const vm of line.vms ?? []) states.set(vm.zonename, vm.state);
    } else if (line.type === 'delete') states.delete(line.zonename ?? '');
    else if (line.vm !== undefined) states.set(line.vm.zonename, line.vm.state);
  };
  const live = async () => {
    requests++;
    const query = `host=true&vms=array&heartbeat=15${place === '' ? '' : `&since=${place}`}`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { agent: false, signal: stopped.signal };
      httpGet(`${url}/events?${query}`, options, resolve).on('error', reject);
    });
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode ?? 0}`);
    for await (const line of createInterface({ input: response })) apply(JSON.parse(line) as Line);
  };
  const supervise = async () => {
    while (!stopped.signal.aborted) {
      await live().catch(() => failures++);
      await pause(restartMs, stopped.signal);
    }
  };
  const running = supervise();
  return {
    name: 'compute-node-agent',
    servers,
    picture: () => Object.fromEntries([...states].sort()),
    get requests() {
      return requests;
    },
    get failures() {
      return failures;
    },
    get resumed() {
      return resumed;
    },
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}
