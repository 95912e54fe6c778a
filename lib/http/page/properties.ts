/** A VM's properties in the groups that operators think in. The last group has the rest. Pure. */
import { asJson, type JsonValue } from '../../vm/json.js';
import { storageProperties } from '../../vm/storage-properties.js';
import { sizeText, unitOf } from '../../vm/units.js';
import type { VmObject, VmProperty } from '../../vm/vm-object.js';

export interface Property {
  readonly name: string;
  readonly value: JsonValue;
}

export interface Group {
  readonly title: string;
  readonly properties: readonly Property[];
}

/** The non-empty groups; the rest comes last, as `More`. */
export function groupsOf(vm: VmObject): readonly Group[] {
  const all: Record<string, JsonValue | undefined> = { ...asJson(vm) };
  const named = new Set<string>([...own, ...groups.flatMap(({ names }) => names)]);
  // Nearly always it is the uuid again.
  if (vm.zonename === vm.uuid) delete all['zonename'];
  const rest = Object.keys(all).filter((name) => !named.has(name));
  return [...groups, { title: 'More', names: rest }].flatMap(({ title, names }) => {
    const properties = names.flatMap((name) => {
      const value = all[name];
      return value === undefined || isEmpty(value) ? [] : [{ name, value }];
    });
    return properties.length === 0 ? [] : [{ title, properties }];
  });
}

/** A value of the property `name` for people: sizes with their unit. */
export function propertyText(name: string, value: JsonValue): string {
  const unit = unitOf([name]);
  if (typeof value === 'number' && unit !== undefined) return sizeText(value, unit);
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ');
  return JSON.stringify(value);
}

/** Properties that are shown elsewhere on the page. */
const own: readonly VmProperty[] = [
  'alias',
  'nics',
  'disks',
  'filesystems',
  'snapshots',
  'customer_metadata',
  'internal_metadata',
  'tags',
];

const groups: readonly { readonly title: string; readonly names: readonly string[] }[] = [
  {
    title: 'Identity',
    names: [
      'uuid',
      'zonename',
      'hostname',
      'dns_domain',
      'brand',
      'kernel_version',
      'owner_uuid',
      'package_name',
      'package_version',
      'billing_id',
      'image_uuid',
      'create_timestamp',
      'last_modified',
      'host',
      'datacenter',
      'datacenter_name',
      'server_uuid',
    ] satisfies readonly (VmProperty | 'host' | 'datacenter')[],
  },
  {
    title: 'State',
    names: [
      'state',
      'zone_state',
      'failed',
      'transition',
      'transition_to',
      'transition_expire',
      'boot_timestamp',
      'exit_status',
      'exit_timestamp',
      'pid',
      'zoneid',
      'zonedid',
      'init_name',
      'init_restarts',
      'autoboot',
      'vm_autoboot',
    ] satisfies readonly VmProperty[],
  },
  {
    title: 'Compute',
    names: [
      'ram',
      'max_physical_memory',
      'max_swap',
      'max_locked_memory',
      'max_shm_memory',
      'tmpfs',
      'vcpus',
      'cpu_cap',
      'cpu_shares',
      'cpu_type',
      'zfs_io_priority',
      'max_lwps',
      'max_msg_ids',
      'max_sem_ids',
      'max_shm_ids',
      'pci_devices',
    ] satisfies readonly VmProperty[],
  },
  {
    title: 'Storage',
    names: [
      ...storageProperties,
      'zonepath',
      'indestructible_zoneroot',
      'indestructible_delegated',
      'missing',
    ] satisfies readonly VmProperty[],
  },
  {
    title: 'Network',
    names: [
      'default_gateway',
      'resolvers',
      'maintain_resolvers',
      'routes',
      'firewall_enabled',
    ] satisfies readonly VmProperty[],
  },
];

function isEmpty(value: JsonValue): boolean {
  return value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}
