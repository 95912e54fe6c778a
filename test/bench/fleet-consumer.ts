/** A consumer of the fleet: prints how long it took until it had all VMs, and the memory that they take. */
import { performance } from 'node:perf_hooks';
import { FleetClient } from '../../lib/fleet/client.js';

const [, , url = ''] = process.argv;
const fleet = await FleetClient.connect({ servers: [url], name: 'bench consumer' });
await fleet.ping();
global.gc?.();
const before = process.memoryUsage().rss;
const began = performance.now();
const watcher = await fleet.watch();
const ms = performance.now() - began;
global.gc?.();
const bytes = process.memoryUsage().rss - before;
process.stdout.write(`${JSON.stringify({ vms: watcher.vms.size, ms, bytes })}\n`);
await watcher.close();
await fleet.close();
