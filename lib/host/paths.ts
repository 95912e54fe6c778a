/**
 * Where a zone's files are, in one place. A zonename is checked before it becomes part of a path, so that no name,
 * wherever it came from, can point out of its directory.
 */
import type { Host } from './host.js';

/** The zone files below a zone's config directory. */
export type ConfigFile = 'metadata.json' | 'routes.json' | 'tags.json';

export const zonesDirectory = '/etc/zones';

/**
 * Whether zonecfg would accept the name for a non-global zone: up to 64 letters, digits, `_`, `-` and `.`, of which the
 * first is a letter or digit; `global` and everything that begins with `SUNW` is reserved.
 */
export function isZonename(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name) && name !== 'global' && !name.startsWith('SUNW');
}

/** The zone whose XML file this is; `undefined` for any other file in /etc/zones, such as its templates. */
export function zonenameOfXml(filename: string): string | undefined {
  const zonename = filename.slice(0, -'.xml'.length);
  return filename.endsWith('.xml') && isZonename(zonename) ? zonename : undefined;
}

export function zoneXmlPath(host: Host, zonename: string): string {
  return host.path(`${zonesDirectory}/${checked(zonename)}.xml`);
}

export function receivingPath(host: Host, zonename: string): string {
  return host.path(`${zonesDirectory}/${checked(zonename)}-receiving.json`);
}

/** @param zonepath as zoneadm prints it; must be absolute. */
export function configDirectory(host: Host, zonepath: string): string {
  return `${host.path(zonepath)}/config`;
}

export function configFilePath(host: Host, zonepath: string, file: ConfigFile): string {
  return `${configDirectory(host, zonepath)}/${file}`;
}

export function lastExitedPath(host: Host, zonepath: string): string {
  return `${host.path(zonepath)}/lastexited`;
}

export function sysinfoPath(host: Host): string {
  return host.path('/tmp/.sysinfo.json');
}

function checked(zonename: string): string {
  if (isZonename(zonename)) return zonename;
  throw new RangeError(`Expected the name of a zone, got ${JSON.stringify(zonename)}`);
}
