/** `npm run test:fleet -- --seeds 5`: the storm at its full size. */
import { parseArgs } from 'node:util';
import tap from 'tap';
import { storm } from './storm.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    hosts: { type: 'string', default: '5' },
    vms: { type: 'string', default: '20' },
    actions: { type: 'string', default: '2000' },
  },
});

for (let seed = 1; seed <= Number(values.seeds); seed++) {
  void tap.test(`seed ${seed}`, { timeout: 3_600_000 }, async (t) => {
    const [hosts, vms, actions] = [values.hosts, values.vms, values.actions].map(Number) as [
      number,
      number,
      number,
    ];
    await storm(t, { seed, hosts, vms, actions, actionsPerFault: 40 });
  });
}
