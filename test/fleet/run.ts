/**
 * `npm run test:fleet -- --seed 7 --actions 500`: the storm at its full size; `--seeds 5` runs seeds 1 to 5. With
 * `--cuts 100`, readers that are cut off so often, instead; with `--cluster`, one of three servers that loses its leader.
 */
import { parseArgs } from 'node:util';
import tap from 'tap';
import { cutOff } from './cut-off.js';
import { serveFleet, startTestNats } from './harness.js';
import { loseLeaders } from './lose-leaders.js';
import { storm } from './storm.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    cuts: { type: 'string' },
    cluster: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '1' },
    hosts: { type: 'string', default: '5' },
    vms: { type: 'string', default: '20' },
    actions: { type: 'string', default: '2000' },
  },
});

const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds) }, (_, index) => index + 1)
    : [Number(values.seed)];
const [hosts, vms, actions] = [Number(values.hosts), Number(values.vms), Number(values.actions)];

tap.setTimeout(3_600_000);
for (const seed of seeds) {
  void tap.test(`seed ${seed}`, { timeout: 3_600_000 }, async (t) => {
    if (values.cluster) {
      await loseLeaders(t);
      return;
    }
    if (values.cuts !== undefined) {
      const { server, nats } = await startTestNats(t);
      const { url } = await serveFleet(t, server);
      const cuts = { http: Number(values.cuts), nats: Number(values.cuts) };
      await cutOff(t, { server, nats, url, seed, cuts });
      return;
    }
    await storm(t, { seed, hosts, vms, actions, actionsPerFault: 40, stopMs: 10_000 });
  });
}
