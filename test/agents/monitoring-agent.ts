/**
 * Like a monitoring agent: at each scrape it asks for a few fields of each VM, one by one, each with a limit of 500 ms,
 * and for the metrics. On bare HTTP, with ETags.
 */
import { Agent as Connections, get as httpGet } from 'node:http';
import { pause, type Agent } from './agent.js';

const fields = 'uuid,state,quota,nics.ip';

export function startMonitoringAgent(url: string, scrapeMs: number): Agent & { readonly slowestMs: number } {
  const stopped = new AbortController();
  const connections = new Connections({ keepAlive: true, maxSockets: 4 });
  const known = new Map<string, { readonly tag: string; readonly value: unknown }>();
  let requests = 0;
  let failures = 0;
  let slowestMs = 0;

  const ask = (path: string, tag?: string): Promise<{ status: number; tag: string; text: string }> =>
    new Promise((resolve, reject) => {
      requests++;
      const startedAt = performance.now();
      const headers = tag === undefined ? {} : { 'If-None-Match': tag };
      const request = httpGet(url + path, { agent: connections, headers, timeout: 500 }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('error', reject);
        response.on('end', () => {
          slowestMs = Math.max(slowestMs, performance.now() - startedAt);
          resolve({ status: response.statusCode ?? 0, tag: response.headers.etag ?? '', text });
        });
      });
      request.on('timeout', () => request.destroy(new Error('no answer within 500 ms')));
      request.on('error', reject);
    });
  const scrapeOne = async (zonename: string) => {
    const { status, tag, text } = await ask(`/vms/${zonename}?fields=${fields}`, known.get(zonename)?.tag);
    if (status === 200) known.set(zonename, { tag, value: JSON.parse(text) });
    else if (status === 404) known.delete(zonename);
    else if (status !== 304) throw new Error(`status ${status}`);
  };
  const scrape = async () => {
    const list = await ask('/vms?fields=zonename');
    if (list.status !== 200) throw new Error(`status ${list.status}`);
    const names = (JSON.parse(list.text) as { zonename: string }[]).map(({ zonename }) => zonename);
    for (const gone of [...known.keys()].filter((each) => !names.includes(each))) known.delete(gone);
    await Promise.all(names.map(scrapeOne));
    const metrics = await ask('/metrics');
    if (!metrics.text.includes(`\nvminfod_vms{`)) throw new Error('no metrics of VMs');
  };
  const run = async () => {
    while (!stopped.signal.aborted) {
      await scrape().catch(() => failures++);
      await pause(scrapeMs, stopped.signal);
    }
  };
  const running = run();
  return {
    name: 'monitoring-agent',
    picture: () => Object.fromEntries([...known].map(([name, { value }]) => [name, value] as const).sort()),
    get requests() {
      return requests;
    },
    get failures() {
      return failures;
    },
    get slowestMs() {
      return slowestMs;
    },
    stop: async () => {
      stopped.abort();
      await running;
      connections.destroy();
    },
  };
}
