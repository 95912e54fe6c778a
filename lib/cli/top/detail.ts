/** The view of an open VM: its properties, its datasets and snapshots, its changes. Pure. */
import { asJson, isJsonArray, isJsonObject, type JsonValue } from '../../vm/json.js';
import { maskVm } from '../../vm/secrets.js';
import { storageProperties } from '../../vm/storage-properties.js';
import { shareOf, spaceUse, type DatasetUsage } from '../../vm/usage.js';
import { sizeText } from '../../vm/units.js';
import type { VmObject } from '../../vm/vm-object.js';
import { bar, shortAge } from '../numbers.js';
import type { TopModel } from './model.js';

export interface DetailLine {
  readonly kind: 'title' | 'property' | 'change' | 'note';
  readonly label: string;
  readonly text: string;
}

/** All its lines; the text comes unescaped from the VM. */
export function detailLines({ vms, selected = '', entries, usage, now }: TopModel): readonly DetailLine[] {
  const vm = vms.get(selected);
  if (!vm) return [{ kind: 'note', label: '', text: 'This VM is gone.' }];
  const masked = maskVm(vm);
  const changes = entries.filter(({ key }) => key === selected);
  return [
    title('changes'),
    ...(changes.length === 0 ? [note('none lately')] : []),
    ...changes.map(({ at, text }): DetailLine => ({ kind: 'change', label: shortAge(now - at), text })),
    title('storage'),
    ...used(vm, usage[vm.zonename]),
    ...properties(masked, (name) => storage.has(name)),
    title('properties'),
    ...properties(masked, (name) => !storage.has(name)),
  ];
}

const storage: ReadonlySet<string> = new Set<string>([
  ...storageProperties,
  'zfs_io_priority',
  'disks',
  'filesystems',
  'snapshots',
]);

function properties(vm: VmObject, wanted: (name: string) => boolean): readonly DetailLine[] {
  return Object.entries(asJson(vm))
    .filter(([name]) => wanted(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => (value === undefined ? [] : flattened(name, value)));
}

/** One line per value: `nics.0.ip`, `tags.role`. Empty values are shown as such. */
function flattened(label: string, value: JsonValue): readonly DetailLine[] {
  const members = isJsonArray(value) || isJsonObject(value) ? Object.entries(value) : undefined;
  if (members === undefined) {
    return [{ kind: 'property', label, text: typeof value === 'string' ? value : JSON.stringify(value) }];
  }
  if (isJsonArray(value) && value.length > 0 && value.every((each) => typeof each !== 'object')) {
    return [{ kind: 'property', label, text: value.join(', ') }];
  }
  if (members.length === 0) return [{ kind: 'property', label, text: '-' }];
  return members.flatMap(([key, member]) =>
    member === undefined ? [] : flattened(`${label}.${key}`, member),
  );
}

/** How much of its disk space it has used, if that is known. */
function used(vm: VmObject, usage: DatasetUsage | undefined): readonly DetailLine[] {
  const use = spaceUse(vm, usage);
  if (!use) return [];
  const text = `${sizeText(use.usedMiB, 'MiB')} of ${sizeText(use.limitMiB, 'MiB')}`;
  const percent = Math.round(shareOf(use) * 100);
  return [{ kind: 'property', label: 'used', text: `${bar(shareOf(use), 20)} ${percent}%, ${text}` }];
}

function title(text: string): DetailLine {
  return { kind: 'title', label: '', text };
}

function note(text: string): DetailLine {
  return { kind: 'note', label: '', text };
}
