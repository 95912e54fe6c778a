import tap from 'tap';
import type { DatasetUsage, UsageReport } from '../../lib/vm/usage.js';
import { aSmallVm, get, serve } from './serve.js';

const dataset = (n: number) => `zones/${aSmallVm(n).zonename}`;
const withDataset = (n: number) => aSmallVm(n, { zfs_filesystem: dataset(n) });

/** A reading that ends when the test says so. */
function slowReading() {
  let count = 0;
  let end: (found: ReadonlyMap<string, DatasetUsage> | Error) => void = () => undefined;
  return {
    count: () => count,
    end: (found: ReadonlyMap<string, DatasetUsage> | Error) => {
      end(found);
    },
    read: () => {
      count++;
      return new Promise<ReadonlyMap<string, DatasetUsage> | Error>((resolve) => (end = resolve));
    },
  };
}

void tap.test('/usage: read once for all that ask, and again when it is old', async (t) => {
  const reading = slowReading();
  const readings: string[] = [];
  const { url } = await serve(t, {
    vms: [withDataset(1), withDataset(2), aSmallVm(3)],
    readUsage: async () => {
      const found = reading.read();
      readings.push('begun');
      return found;
    },
  });
  const asked = [get(`${url}/usage`), get(`${url}/usage`)];
  while (readings.length === 0) await new Promise(setImmediate);
  asked.push(get(`${url}/usage`));
  await get(`${url}/ping`); // The daemon has all three by now.
  reading.end(
    new Map([
      [dataset(1), { used: 3072, referenced: 2048 }],
      ['zones/of-no-vm', { used: 1, referenced: 1 }],
    ]),
  );
  for (const { status, json } of await Promise.all(asked)) {
    t.equal(status, 200);
    const { date, vms } = json as UsageReport;
    t.match(date, /^\d{4}-.*Z$/);
    t.strictSame(vms, { [aSmallVm(1).zonename]: { used: 3072, referenced: 2048 } });
  }
  t.equal((await get(`${url}/usage`)).status, 200, 'the last answer is still good');
  t.equal(reading.count(), 1);
  t.match(await get(`${url}/usage?vm=1`), { status: 400, json: { code: 'BadRequest' } });
});

void tap.test('/usage: an old answer is not given, and a failure is said', async (t) => {
  let failing = false;
  const { url } = await serve(t, {
    vms: [withDataset(1)],
    usageMaxAgeMs: 0,
    readUsage: () =>
      Promise.resolve(
        failing ? new Error('zfs list exited with 1') : new Map([[dataset(1), { used: 1, referenced: 1 }]]),
      ),
  });
  t.equal((await get(`${url}/usage`)).status, 200);
  failing = true;
  const failed = await get(`${url}/usage`);
  t.match(failed, { status: 503, json: { code: 'LoadError', message: 'zfs list exited with 1' } });
  t.equal(failed.headers['retry-after'], '5');
  failing = false;
  t.equal((await get(`${url}/usage`)).status, 200);
});
