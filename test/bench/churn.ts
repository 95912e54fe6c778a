/**
 * A process of its own: VMs change at a steady rate, a tag, an alias and a quota in turn, until the parent is gone.
 * Arguments: root, changes per second, zonenames.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { openSimulatedHost } from '../../lib/simulator/index.js';

const [root = '', perSecond = '', ...zonenames] = process.argv.slice(2);
const host = await openSimulatedHost(root);
const periodMs = 1000 / Number(perSecond);
process.send?.('begins');
const startedAt = performance.now();
for (let count = 0; process.connected; count++) {
  const dueInMs = startedAt + count * periodMs - performance.now();
  // Also when it is late: otherwise it never learns, on a busy machine, that the parent is gone.
  await wait(Math.max(0, dueInMs));
  const zonename = zonenames[count % zonenames.length] ?? '';
  if (count % 3 === 0) await host.setTags(zonename, { churn: count });
  else if (count % 3 === 1) await host.updateConfig(zonename, { attrs: { alias: `churn-${count}` } });
  else await host.zfs('set', `quota=${10 + (count % 1000)}g`, host.zone(zonename).zonepath.slice(1));
}
