/**
 * A process of its own: what a start is made of, each part alone and one after the other, by the daemon's own modules.
 * Its argument is the root; it sends milliseconds.
 */
import { performance } from 'node:perf_hooks';
import { createHost } from '../../lib/host/host.js';
import { parseJsonFile } from '../../lib/host/json-file.js';
import { readKstats } from '../../lib/host/kstat.js';
import { zoneFilePath } from '../../lib/host/paths.js';
import { readSysinfo } from '../../lib/host/sysinfo.js';
import { listAllDatasets } from '../../lib/host/zfs.js';
import { groupsOf } from '../../lib/host/zfs-groups.js';
import { readZoneFiles } from '../../lib/host/zone-files.js';
import { listZones } from '../../lib/host/zoneadm.js';
import { assemble } from '../../lib/vm/assemble.js';
import { levelOf } from '../../lib/vm/dataset-names.js';
import { DatasetTable } from '../../lib/vm/dataset-table.js';
import { zoneFiles, type InputValues, type ZoneFile } from '../../lib/vm/inputs.js';
import { isInstalled } from '../../lib/vm/newstate.js';
import { parseZoneXml } from '../../lib/vm/zone-xml.js';

/** Milliseconds. */
export type StartParts = Readonly<Record<'commands' | 'reading' | 'parsing' | 'assembling', number>>;

const ending = new AbortController();
const host = createHost({ root: process.argv[2] ?? '/', signal: ending.signal });
let at = performance.now();
const lap = () => {
  const ms = performance.now() - at;
  at = performance.now();
  return ms;
};

lap();
const [zones, kstats, listing] = await Promise.all([
  listZones(host),
  readKstats(host),
  listAllDatasets(host),
]);
const commands = lap();

const records = [...zones.records.values()];
const texts = await Promise.all(
  records.map(async (record) => {
    const requests = zoneFiles.map((name) => ({ name, path: zoneFilePath(host, record, name) }));
    return { requests, readings: await host.files.read(record.zonename, requests) };
  }),
);
const reading = lap();

for (const { requests, readings } of texts) {
  requests.forEach(({ name, path }, index) => {
    const file = readings[index];
    if (file?.type !== 'read' || file.value === undefined || name === 'lastexited') return;
    if (name === 'xml') parseZoneXml(file.value.value);
    else parseJsonFile(path, file.value.value);
  });
}
const parsing = lap();

const sysinfo = (await readSysinfo(host)) ?? {};
const files = await Promise.all(
  records.map((record) => readZoneFiles(host, { ...record, isInstalled: isInstalled(record) }, zoneFiles)),
);
const names = listing.datasets.map(({ name }) => name);
lap();

const datasets = new DatasetTable();
const wanted = {
  whole: names.filter((name) => levelOf(name) === 1),
  rows: names.filter((name) => levelOf(name) === 0),
};
for (const group of groupsOf(listing, wanted)) datasets.take(group, 1);
records.forEach((record, index) => {
  const valueOf = <F extends ZoneFile>(file: F): InputValues[F] | undefined => {
    const found = files[index]?.[file];
    return found?.type === 'read' ? found.value : undefined;
  };
  const xml = valueOf('xml');
  if (xml === undefined) throw new Error(`no XML of ${record.zonename}`);
  const { vm } = assemble({
    ...{ record, xml, datasets, sysinfo, kstat: kstats.kstats.get(record.zonename) },
    ...{ metadata: valueOf('metadata'), tags: valueOf('tags'), routes: valueOf('routes') },
    ...{ lastexited: valueOf('lastexited'), receiving: valueOf('receiving') },
  });
  Buffer.from(JSON.stringify(vm));
});
const assembling = lap();

process.send?.({ commands, reading, parsing, assembling } satisfies StartParts, () => {
  process.disconnect();
  ending.abort();
});
