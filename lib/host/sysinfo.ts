/** The cache of sysinfo(8): what of the host itself reaches each VM object. */
import type { Sysinfo } from '../vm/inputs.js';
import type { Host } from './host.js';
import { readJsonFile } from './json-file.js';
import { sysinfoPath } from './paths.js';

/**
 * `/tmp/.sysinfo.json`; `undefined` while it does not exist.
 *
 * @throws FileError
 */
export async function readSysinfo(host: Host): Promise<Sysinfo | undefined> {
  const file = await readJsonFile(sysinfoPath(host));
  if (!file) return undefined;
  const keys = ['UUID', 'Datacenter Name', 'Live Image', 'Headnode ID'] as const;
  return Object.fromEntries(
    keys.flatMap((key) => (typeof file.value[key] === 'string' ? [[key, file.value[key]]] : [])),
  );
}
