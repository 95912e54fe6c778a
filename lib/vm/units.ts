/**
 * The units of a VM's numbers: how `ram>=2g` compares, and how a size is written for people. `k`, `m`, `g` and `t` are
 * powers of 1024, as in zfs(8) and vmadm(8). Pure.
 */

/** What a number counts. */
export type Unit = 'bytes' | 'MiB' | 'GiB';

/** The unit of the property or member under a dotted key; undefined when it is not a size. */
export function unitOf(keys: readonly (string | null)[]): Unit | undefined {
  const [property] = keys;
  const last = keys.findLast((key) => key !== null && !/^(\d+|\*)$/.test(key));
  if (property === 'snapshots' && last === 'size') return 'MiB';
  if (property === 'disks' || property === 'pci_devices') return diskUnits.get(last ?? '');
  return keys.length === 1 ? units.get(property ?? '') : undefined;
}

/**
 * A number with an optional unit, converted to the unit of the property: `2g` is 2048 for a property in MiB. Undefined
 * when the text is not a number, or has a unit where none is allowed.
 */
export function parseQuantity(text: string, unit: Unit | undefined): number | undefined {
  const [, digits = '', suffix = ''] = /^([+-]?\d+(?:\.\d+)?) ?(?:([kmgt])(?:i?b)?)?$/i.exec(text) ?? [];
  if (digits === '') return undefined;
  if (suffix === '') return Number(digits);
  if (unit === undefined) return undefined;
  return (Number(digits) * bytesPer(suffix)) / bytesIn[unit];
}

/** A size for people: `2 GiB`, `512 MiB`, `1.5 TiB`. */
export function sizeText(value: number, unit: Unit): string {
  const { name, bytes } = scaleOf(value, unit);
  return `${inScale(value, unit, bytes)} ${name}`;
}

/** Two sizes in the same unit, for a change: `20 -> 73 GiB`. */
export function sizesText(old: number, now: number, unit: Unit): string {
  const scales = [scaleOf(old, unit), scaleOf(now, unit)];
  // The smaller scale shows both without loss, unless one is zero, which fits any.
  const [first, second] = scales.filter((_, index) => (index === 0 ? old : now) !== 0);
  const scale =
    !first || !second ? (first ?? second ?? scaleOf(0, unit)) : first.bytes < second.bytes ? first : second;
  return `${inScale(old, unit, scale.bytes)} -> ${inScale(now, unit, scale.bytes)} ${scale.name}`;
}

const bytesIn: Readonly<Record<Unit, number>> = { bytes: 1, MiB: 2 ** 20, GiB: 2 ** 30 };

const scales = [
  { name: 'TiB', bytes: 2 ** 40 },
  { name: 'GiB', bytes: 2 ** 30 },
  { name: 'MiB', bytes: 2 ** 20 },
  { name: 'KiB', bytes: 2 ** 10 },
  { name: 'bytes', bytes: 1 },
] as const;

/** The largest unit in which the value is at least one and needs at most one decimal; never below the property's own. */
function scaleOf(value: number, unit: Unit): { readonly name: string; readonly bytes: number } {
  const bytes = Math.abs(value) * bytesIn[unit];
  const fits = scales.find(
    (scale) =>
      bytes >= scale.bytes && (Number.isInteger((bytes * 10) / scale.bytes) || bytes >= 100 * scale.bytes),
  );
  const own = scales.find((scale) => scale.bytes === bytesIn[unit]);
  return fits && fits.bytes >= bytesIn[unit] ? fits : (own ?? { name: unit, bytes: bytesIn[unit] });
}

function inScale(value: number, unit: Unit, bytes: number): string {
  return String(Math.round(((value * bytesIn[unit]) / bytes) * 100) / 100);
}

function bytesPer(suffix: string): number {
  return 1024 ** ('kmgt'.indexOf(suffix.toLowerCase()) + 1);
}

const units: ReadonlyMap<string, Unit> = new Map<string, Unit>([
  ['ram', 'MiB'],
  ['max_physical_memory', 'MiB'],
  ['max_locked_memory', 'MiB'],
  ['max_shm_memory', 'MiB'],
  ['max_swap', 'MiB'],
  ['tmpfs', 'MiB'],
  ['flexible_disk_size', 'MiB'],
  ['free_space', 'MiB'],
  ['quota', 'GiB'],
  ['zfs_root_recsize', 'bytes'],
  ['zfs_data_recsize', 'bytes'],
  ['zlog_max_size', 'bytes'],
]);

const diskUnits: ReadonlyMap<string, Unit> = new Map<string, Unit>([
  ['size', 'MiB'],
  ['refreservation', 'MiB'],
  ['image_size', 'MiB'],
  ['block_size', 'bytes'],
]);
