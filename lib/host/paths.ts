/**
 * Where a zone's files are, in one place. A zonename is checked before it becomes part of a path, so that no name,
 * whatever its origin, can point outside its directory.
 */
import type { Host } from './host.js';

/** The zone files below a zone's config directory. */
export type ConfigFile = 'metadata.json' | 'routes.json' | 'tags.json';

/** The name of the host's own zone, which no other zone can have: it owns whatever belongs to no other zone. */
export const globalZone = 'global';

/** Where zonecfg keeps its configuration. A path on the host, without the root. */
export const zonesDirectory = '/etc/zones';

/**
 * Whether zonecfg would accept the name for a non-global zone: up to 64 letters, digits, `_`, `-` and `.`, of which the
 * first is a letter or digit; `global` and everything that begins with `SUNW` is reserved.
 */
export function isZonename(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name) && name !== globalZone && !name.startsWith('SUNW');
}

/**
 * Returns the name if it is valid.
 *
 * @throws RangeError
 */
export function requireZonename(zonename: string): string {
  if (isZonename(zonename)) return zonename;
  throw new RangeError(`Expected the name of a zone, got ${JSON.stringify(zonename)}`);
}

/** The zone whose XML file this is; `undefined` for any other file in /etc/zones, such as its templates. */
export function zonenameOfXml(filename: string): string | undefined {
  const zonename = filename.slice(0, -'.xml'.length);
  return filename.endsWith('.xml') && isZonename(zonename) ? zonename : undefined;
}

/** The configuration of a zone. zonecfg replaces it by rename. */
export function zoneXmlPath(host: Host, zonename: string): string {
  return host.path(`${zonesDirectory}/${requireZonename(zonename)}.xml`);
}

/** Notes on a zone that is being received; exists only meanwhile. */
export function receivingPath(host: Host, zonename: string): string {
  return host.path(`${zonesDirectory}/${requireZonename(zonename)}-receiving.json`);
}

/**
 * Where a zone's JSON files are. It may appear later than the zone.
 *
 * @param zonepath as zoneadm prints it; must be absolute, so not empty.
 */
export function configDirectory(host: Host, zonepath: string): string {
  return `${host.path(zonepath)}/config`;
}

/** One of the JSON files in a zone's config directory. */
export function configFilePath(host: Host, zonepath: string, file: ConfigFile): string {
  return `${configDirectory(host, zonepath)}/${file}`;
}

/** When and how a zone last halted; zoneadmd rewrites it in place. */
export function lastExitedPath(host: Host, zonepath: string): string {
  return `${host.path(zonepath)}/lastexited`;
}

/** The cache of sysinfo(8). */
export function sysinfoPath(host: Host): string {
  return host.path('/tmp/.sysinfo.json');
}

/** Where each input of a zone that is a file is read from. A zone without a zonepath has no files below it: `/`. */
export function zoneFilePath(
  host: Host,
  { zonename, zonepath }: { readonly zonename: string; readonly zonepath: string },
  file: 'xml' | 'receiving' | 'lastexited' | 'metadata' | 'tags' | 'routes',
): string {
  switch (file) {
    case 'xml':
      return zoneXmlPath(host, zonename);
    case 'receiving':
      return receivingPath(host, zonename);
    case 'lastexited':
      return lastExitedPath(host, zonepath);
    default:
      return configFilePath(host, zonepath, `${file}.json`);
  }
}
