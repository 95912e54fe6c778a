/**
 * The properties of datasets: which are inherited, how an operator's text is read, and the raw value that a history
 * event shows. Values are kept as numbers where zfs counts, and otherwise as the words that `zfs list` prints.
 */
import { ZfsError } from './zfs-error.js';

/** A property's value: bytes or a count, or a word. */
export type PropertyValue = string | number;

/** Represents no limit; `zfs list -p` prints it as 2^64 - 1. */
export const unlimited = -1;

const aliases: Readonly<Record<string, string>> = {
  recsize: 'recordsize',
  refreserv: 'refreservation',
  reserv: 'reservation',
  volblock: 'volblocksize',
  compress: 'compression',
};

/** Defaults of the inheritable properties. */
const inheritable: Readonly<Record<string, PropertyValue>> = {
  aclinherit: 'restricted',
  aclmode: 'discard',
  atime: 'on',
  checksum: 'on',
  compression: 'off',
  copies: '1',
  devices: 'on',
  exec: 'on',
  logbias: 'latency',
  mountpoint: '/',
  nbmand: 'off',
  primarycache: 'all',
  readonly: 'off',
  recordsize: 131072,
  secondarycache: 'all',
  setuid: 'on',
  sharenfs: 'off',
  sharesmb: 'off',
  snapdir: 'hidden',
  sync: 'standard',
  xattr: 'on',
  zoned: 'off',
};

const sizes = new Set([
  'quota',
  'refquota',
  'reservation',
  'refreservation',
  'volsize',
  'volblocksize',
  'recordsize',
]);
const limits = new Set(['filesystem_limit', 'snapshot_limit']);
const others = new Set(['canmount']);
/** Properties that are part of a `zfs create`, without an event of their own. */
const createOnly = new Set(['volblocksize', 'casesensitivity', 'normalization', 'utf8only', 'encryption']);

const compressions: Readonly<Record<string, number>> = {
  on: 1,
  off: 2,
  lzjb: 3,
  gzip: 10,
  zle: 14,
  lz4: 15,
  zstd: 16,
};
const canmount: Readonly<Record<string, number>> = { off: 0, on: 1, noauto: 2 };

/** The property that a name stands for; user properties contain a colon. */
export function canonicalName(name: string): string {
  return aliases[name] ?? name;
}

/** Whether it is a user's own property. */
export function isUserProperty(name: string): boolean {
  return name.includes(':');
}

/** Whether a dataset without a value of its own inherits its parent's. */
export function isInherited(name: string): boolean {
  return isUserProperty(name) || Object.hasOwn(inheritable, name);
}

/** Whether `zfs create` takes it without posting a `set`. */
export function isCreateOnly(name: string): boolean {
  return createOnly.has(name);
}

/** A property's default; `undefined` for a user property. */
export function defaultValue(name: string): PropertyValue | undefined {
  if (isUserProperty(name)) return undefined;
  return inheritable[name] ?? (limits.has(name) ? unlimited : name === 'canmount' ? 'on' : 0);
}

/** Reads an operator's `name=value`. Throws a {@link ZfsError} as zfs words it. */
export function parseAssignment(
  text: string,
  dataset: string,
): readonly [name: string, value: PropertyValue] {
  const position = text.indexOf('=');
  if (position === -1) throw new ZfsError(2, `missing '=' for property=value argument`);
  const name = canonicalName(text.slice(0, position));
  const value = text.slice(position + 1);
  if (isUserProperty(name) || name.includes('@')) return [name, value];
  const reject = (why: string): never => {
    throw new ZfsError(1, `cannot set property for '${dataset}': ${why}`);
  };
  if (sizes.has(name))
    return [name, value === 'none' ? 0 : (parseSize(value) ?? reject(`bad numeric value '${value}'`))];
  if (limits.has(name)) {
    return [
      name,
      value === 'none' ? unlimited : (parseSize(value) ?? reject(`bad numeric value '${value}'`)),
    ];
  }
  if (!Object.hasOwn(inheritable, name) && !others.has(name) && !createOnly.has(name)) {
    reject(`invalid property '${name}'`);
  }
  if (name === 'compression') return [name, value === 'gzip-6' ? 'gzip' : value];
  return [name, value];
}

/** Bytes of a size such as `10g`, or undefined. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kmgtp]?)b?$/i.exec(text);
  if (match === null) return undefined;
  const exponent = 'kmgtp'.indexOf((match[2] ?? '').toLowerCase() || ' ') + 1;
  return Math.round(Number(match[1]) * 1024 ** exponent);
}

/** The value as a history event has it: enumerated values are numbers. */
export function rawValue(name: string, value: PropertyValue | undefined): string {
  if (value === undefined) return '';
  if (isUserProperty(name) || typeof value === 'number') return String(value);
  if (name === 'compression') {
    const level = /^gzip-(\d)$/.exec(value);
    return String(level === null ? (compressions[value] ?? value) : 4 + Number(level[1]));
  }
  if (name === 'canmount') return String(canmount[value] ?? value);
  if (value === 'on') return '1';
  if (value === 'off') return '0';
  return value;
}

/**
 * The reservation that a volume that is not sparse gets: its blocks and the metadata for them (zvol_volsize_to_reservation
 * of libzfs: indirect blocks of 1024 pointers, 128 KiB each, two copies).
 */
export function volumeReservation(volsize: number, volblocksize: number): number {
  let metadataBlocks = 7;
  let blocks = volsize / volblocksize;
  while (blocks > 1) {
    blocks = Math.floor((blocks + 1023) / 1024);
    metadataBlocks += blocks;
  }
  return volsize + metadataBlocks * 2 * 131072;
}
