/** Which commands a batch of requests for zones takes. */
import tap from 'tap';
import type { Fact } from '../../lib/cache/facts.js';
import { zoneReading } from '../../lib/cache/readings.js';
import { noOccasion, zoneRequest, type RescanRequest } from '../../lib/cache/requests.js';
import { Rescan } from '../../lib/cache/rescan.js';
import { createHost } from '../../lib/host/host.js';
import { createSimulatedHost } from '../../lib/simulator/index.js';
import type { ZoneInput } from '../../lib/vm/inputs.js';

void tap.test(
  'a few zones are asked for one by one, many by a full listing, and what a rescan left one by one',
  async (t) => {
    const simulated = await createSimulatedHost({ vms: 8 });
    t.teardown(() => simulated.remove());
    const ending = new AbortController();
    t.teardown(() => {
      ending.abort();
    });
    const host = createHost({ root: simulated.root, signal: ending.signal });
    const read = zoneReading(host, (zonename) => {
      const { zonepath, zoneid, state } = simulated.zone(zonename);
      return { zonepath, isInstalled: state !== 'configured', zoneid: zoneid ?? undefined, versions: {} };
    });
    const zonenames = simulated.zonenames();
    const all: readonly ZoneInput[] = ['record', 'kstat'];
    const asked: RescanRequest = { ...noOccasion, lane: 'rescan', scope: 'everything', reason: 'test' };
    const rescan = {
      ...noOccasion,
      rescan: new Rescan(
        asked,
        () => false,
        () => undefined,
      ),
    };

    const rows: readonly [
      row: string,
      ofEvents: number,
      ofRescan: number,
      inputs: readonly ZoneInput[],
      listings: number,
    ][] = [
      ['two', 2, 0, all, 0],
      ['three', 3, 0, all, 1],
      ['of a rescan', 0, 5, all, 0],
      ['one, and with it those of a rescan', 1, 5, all, 0],
      ['three, and with them those of a rescan', 3, 5, all, 1],
      ['files alone', 5, 0, ['tags'], 0],
    ];
    for (const [row, ofEvents, ofRescan, inputs, listings] of rows) {
      simulated.resetInvocations();
      const batch = zonenames
        .slice(0, ofEvents + ofRescan)
        .map((zonename, index) => zoneRequest(zonename, inputs, index < ofEvents ? noOccasion : rescan));
      const facts: Fact[] = [];
      await read(batch, 1, (fact) => facts.push(fact));
      t.equal(facts.length, batch.length, row);
      for (const fact of facts)
        t.match(fact, { type: 'zone', readings: { [inputs[0] ?? '']: { type: 'read' } } });
      const full = simulated.invocations('zoneadm').filter((argv) => argv.join(' ') === 'list -p -c');
      t.equal(full.length, listings, row);
    }
  },
);
