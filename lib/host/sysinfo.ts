/** The cache of sysinfo(8): the host's own properties that appear in every VM object. */
import type { Sysinfo } from '../vm/inputs.js';
import type { Host } from './host.js';
import { parseJsonFile } from './json-file.js';
import { globalZone, sysinfoPath } from './paths.js';

/**
 * `/tmp/.sysinfo.json`; `undefined` while it does not exist.
 *
 * @throws FileError
 */
export async function readSysinfo(host: Host): Promise<Sysinfo | undefined> {
  const path = sysinfoPath(host);
  const [reading] = await host.files.read(globalZone, [{ name: 'sysinfo', path }]);
  if (reading?.type === 'failed') throw reading.error;
  if (reading?.type !== 'read' || reading.value === undefined) return undefined;
  const sysinfo = parseJsonFile(path, reading.value.value);
  const keys = ['UUID', 'Datacenter Name', 'Live Image', 'Headnode ID'] as const;
  return Object.fromEntries(
    keys.flatMap((key) => (typeof sysinfo[key] === 'string' ? [[key, sysinfo[key]]] : [])),
  );
}
