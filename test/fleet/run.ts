/** `npm run test:fleet -- --seed 7 --actions 500`: the storm at its full size; `--seeds 5` runs seeds 1 to 5. */
import { parseArgs } from 'node:util';
import tap from 'tap';
import { storm } from './storm.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
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
    await storm(t, { seed, hosts, vms, actions, actionsPerFault: 40, stopMs: 10_000 });
  });
}
