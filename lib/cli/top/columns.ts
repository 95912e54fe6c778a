/** The columns of the table: what each shows, how wide it is, and how it is sorted. Pure. */
import { typeOf, ramOf } from '../../vm/vm-properties.js';
import { nearlyFull, shareOf, spaceUse, type DatasetUsage } from '../../vm/usage.js';
import type { VmObject } from '../../vm/vm-object.js';
import type { Style } from '../context.js';
import { stateStyle } from '../state-style.js';
import { columnNames, type ColumnName } from './column-names.js';
import type { ChangeRow } from './model.js';
import { bar, shortAge, shortSize } from '../numbers.js';

/** The data of a cell. */
export interface RowFacts {
  readonly vm: VmObject;
  readonly now: number;
  readonly change: ChangeRow | undefined;
  readonly usage: DatasetUsage | undefined;
}

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Its width on an 80-column screen, and where there is more room. */
  readonly width: number;
  readonly wideWidth: number;
  /** Empty when there is nothing to show. */
  readonly text: (facts: RowFacts, width: number) => string;
  readonly style?: (facts: RowFacts) => Style | undefined;
  /** Rows without a value come last, whatever the order. */
  readonly value: (facts: RowFacts) => string | number | undefined;
}

const byName: Readonly<Record<ColumnName, Column>> = {
  alias: {
    title: 'ALIAS',
    align: 'left',
    width: 13,
    wideWidth: 24,
    text: ({ vm }) => aliasOf(vm),
    value: ({ vm }) => aliasOf(vm),
  },
  brand: {
    title: 'BRAND',
    align: 'left',
    width: 6,
    wideWidth: 14,
    text: ({ vm }) => vm.brand,
    value: ({ vm }) => `${typeOf(vm)} ${vm.brand}`,
  },
  state: {
    title: 'STATE',
    align: 'left',
    width: 8,
    wideWidth: 13,
    text: ({ vm }) => vm.state,
    style: ({ vm }) => stateStyle(vm.state),
    value: ({ vm }) => vm.state,
  },
  ram: sized('RAM', ({ vm }) => ramOf(vm)),
  quota: sized('QUOTA', ({ vm }) => quotaMebibytes(vm)),
  used: {
    title: 'USED',
    align: 'right',
    width: 4,
    wideWidth: 12,
    text: (facts, width) => {
      const share = usedShare(facts);
      if (share === undefined) return '';
      const percent = `${Math.round(share * 100)}%`;
      return width < 12 ? percent : `${bar(share, 6)} ${percent.padStart(4)}`;
    },
    style: (facts) => ((usedShare(facts) ?? 0) >= nearlyFull ? 'red' : undefined),
    value: usedShare,
  },
  cap: {
    title: 'CAP',
    align: 'right',
    width: 4,
    wideWidth: 5,
    text: ({ vm }) => (vm.cpu_cap === undefined ? '' : `${vm.cpu_cap}%`),
    value: ({ vm }) => vm.cpu_cap,
  },
  ip: {
    title: 'IP',
    align: 'left',
    width: 15,
    wideWidth: 15,
    text: ({ vm }) => primaryAddress(vm) ?? '',
    value: ({ vm }) => primaryAddress(vm)?.replaceAll(/\d+/g, (digits) => digits.padStart(3, '0')),
  },
  up: {
    title: 'UP',
    align: 'right',
    width: 4,
    wideWidth: 5,
    text: (facts) => {
      const up = uptimeMs(facts);
      return up === undefined ? '' : shortAge(up);
    },
    value: uptimeMs,
  },
  changed: {
    title: 'CHG',
    align: 'right',
    width: 4,
    wideWidth: 5,
    text: (facts) => {
      const since = changedMs(facts);
      return since === undefined ? '' : shortAge(since);
    },
    value: changedMs,
  },
};

/** In display order. */
export const columns: readonly (Column & { readonly name: ColumnName })[] = columnNames.map((name) => ({
  name,
  ...byName[name],
}));

export function columnNamed(name: ColumnName): Column {
  return byName[name];
}

/** Its alias, or the beginning of its UUID. */
export function aliasOf({ alias, uuid }: Pick<VmObject, 'alias' | 'uuid'>): string {
  return alias === undefined || alias === '' ? uuid.slice(0, 8) : alias;
}

/** For a hardware VM this is flexible_disk_size, if it has one: its quota is only its zone's. Zero means none. */
function quotaMebibytes({ hvm, quota, flexible_disk_size }: VmObject): number | undefined {
  if (hvm && flexible_disk_size !== undefined) return flexible_disk_size;
  return quota === undefined || quota === 0 ? undefined : quota * 1024;
}

function usedShare({ vm, usage }: RowFacts): number | undefined {
  const use = spaceUse(vm, usage);
  return use && shareOf(use);
}

function primaryAddress({ nics }: VmObject): string | undefined {
  return (nics.find(({ primary }) => primary === true) ?? nics[0])?.ip;
}

function uptimeMs({ vm, now }: RowFacts): number | undefined {
  return vm.state === 'running' && vm.boot_timestamp !== undefined
    ? now - Date.parse(vm.boot_timestamp)
    : undefined;
}

function changedMs({ vm, now, change }: RowFacts): number | undefined {
  const at = change?.at ?? Date.parse(vm.last_modified);
  return Number.isNaN(at) ? undefined : now - at;
}

function sized(title: string, mebibytes: (facts: RowFacts) => number | undefined): Column {
  return {
    title,
    align: 'right',
    width: 5,
    wideWidth: 6,
    text: (facts) => {
      const value = mebibytes(facts);
      return value === undefined ? '' : shortSize(value);
    },
    value: mebibytes,
  };
}
