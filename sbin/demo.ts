/** `npm run demo`: a simulated host with a daemon, and VMs that change; prints events as `vminfo events` does. */
import { Command, InvalidArgumentError } from 'commander';
import { NEVER } from 'rxjs';
import { main } from '../lib/cli/main.js';
import { VminfodClient } from '../lib/client/client.js';
import { defaultListen, defaultPort, defaultRescanIntervalMs } from '../lib/config.js';
import { startDaemon } from '../lib/daemon.js';
import { ListenError } from '../lib/http/server.js';
import { createLog } from '../lib/log.js';
import { Sink } from '../lib/sink.js';
import { createSimulatedHost, lifelike, removeAbandonedHosts } from '../lib/simulator/index.js';

interface Flags {
  readonly vms: number;
  readonly port: number;
  readonly seed: number;
}

const { vms, port, seed } = new Command('npm run demo --')
  .description('Runs vminfod on a simulated SmartOS global zone in which something happens every second.')
  .option('--vms <n>', 'how many VMs the host has, 1 or more', vmCount, 12)
  .option('--port <port>', 'port of the daemon; 0 picks a free one', wholeNumber, defaultPort)
  .option('--seed <n>', 'seed of the random changes', wholeNumber, 1)
  .allowExcessArguments(false)
  .parse()
  .opts<Flags>();

const interrupted = new AbortController();
// `on`, not `once`: execa ends the process at a signal that nobody else listens to.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted.abort();
  });
}

await removeAbandonedHosts();
const host = await createSimulatedHost({ vms, seed });
try {
  await using(port);
} catch (error) {
  if (!(error instanceof ListenError)) throw error;
  process.stderr.write(`${error.message}: npm run demo -- --port 9191\n`);
  process.exitCode = 1;
} finally {
  await host.remove();
}

async function using(wantedPort: number): Promise<void> {
  const daemon = await startDaemon({
    root: host.root,
    listen: defaultListen,
    port: wantedPort,
    rescanIntervalMs: defaultRescanIntervalMs,
    log: createLog('vminfod', 'error', new Sink(1)),
    requests: NEVER,
  });
  const { url } = daemon;
  await using client = new VminfodClient({ name: 'demo', url });
  await client.ready();
  process.stdout.write(`
vminfod ${url} on a simulated SmartOS global zone with ${vms} VMs, in ${host.root}

In another terminal:
  curl -s ${url}/vms | jq length
  npx vminfo${port === defaultPort ? '' : ` --url ${url}`} list      also: list -w, top, status, events, --help
  npx vminfod-sim --root ${host.root} list      and be the operator: --help
  PATH=${host.root}/usr/sbin:$PATH      to have its zfs, zoneadm and sysevent

Below, what happens, as \`vminfo events\` prints it. Ctrl-C ends it and removes everything.

`);
  // VMs change, but none is created or destroyed, so the lines above stay true.
  const life = lifelike(host, { seed, createAndDestroy: false }).subscribe({
    error: ({ message }: Error) =>
      process.stderr.write(`demo: nothing more is done to the VMs: ${message}\n`),
  });
  // In this process, so that nothing is left behind when it is killed. It ends on the same signals, or with the daemon.
  const { env, stdout, stderr } = process;
  const argv = ['--url', url, 'events', '--summary', '--once'];
  if (!interrupted.signal.aborted) await Promise.race([main({ argv, env, stdout, stderr }), daemon.ended]);
  life.unsubscribe();
  await daemon.close();
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

/** Without a VM there is nothing to show. */
function vmCount(text: string): number {
  const count = wholeNumber(text);
  if (count >= 1 && count <= 10_000) return count;
  throw new InvalidArgumentError('Expected 1 to 10000.');
}
