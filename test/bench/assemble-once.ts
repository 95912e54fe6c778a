/** What one would do without the daemon: read the host and assemble VMs, on each request. With the daemon's own parts. */
import { pino } from 'pino';
import { NEVER, filter, lastValueFrom, of, takeUntil } from 'rxjs';
import { createCache } from '../../lib/cache/cache.js';
import { createHost } from '../../lib/host/host.js';
import { readZone } from '../../lib/host/read-zone.js';
import { listDatasets } from '../../lib/host/zfs.js';
import { zoneCommands } from '../../lib/host/zone-commands.js';
import { assemble } from '../../lib/vm/assemble.js';
import { DatasetTable } from '../../lib/vm/dataset-table.js';
import { zoneInputs, type InputValues, type ZoneInput } from '../../lib/vm/inputs.js';

const log = pino({ level: 'silent' });

/** The JSON of a VM whose zone has its usual place, read from the host. */
export async function assembleOne(root: string, zonename: string): Promise<Buffer> {
  const ending = new AbortController();
  const host = createHost({ root, signal: ending.signal });
  try {
    const place = { zonepath: `/zones/${zonename}`, isInstalled: true, zoneid: undefined };
    const task = { zonename, inputs: new Set(zoneInputs), ...place };
    const name = `zones/${zonename}`;
    const [readings, listing] = await Promise.all([
      readZone(host, task, zoneCommands(host, 1)),
      listDatasets(host, [name], { whole: true }),
    ]);
    const datasets = new DatasetTable();
    datasets.take({ ...listing, whole: [name], rows: [] }, 1);
    const valueOf = <I extends ZoneInput>(input: I): InputValues[I] | undefined => {
      const reading = readings[input];
      return reading?.type === 'read' ? reading.value : undefined;
    };
    const [record, xml] = [valueOf('record'), valueOf('xml')];
    if (record === undefined || xml === undefined) throw new Error(`no VM ${zonename}`);
    const { vm } = assemble({
      ...{ record, xml, datasets, sysinfo: {} },
      ...{ kstat: valueOf('kstat'), metadata: valueOf('metadata'), tags: valueOf('tags') },
      ...{ routes: valueOf('routes'), lastexited: valueOf('lastexited'), receiving: valueOf('receiving') },
    });
    return Buffer.from(JSON.stringify(vm));
  } finally {
    ending.abort();
  }
}

/** The JSON of all VMs, read from the host. */
export async function assembleAll(root: string): Promise<Buffer> {
  const ending = new AbortController();
  const cache = createCache({ host: createHost({ root, signal: ending.signal }), log });
  const loaded = cache.snapshot.pipe(filter((snapshot) => snapshot.loaded));
  await lastValueFrom(cache.keep(NEVER, of('live')).pipe(takeUntil(loaded)), { defaultValue: undefined });
  const parts = [...cache.snapshot.value.vms.values()].flatMap(({ bytes }) => [...bytes, Buffer.from(',')]);
  ending.abort();
  return Buffer.concat(parts);
}
