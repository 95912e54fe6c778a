/**
 * Inputs → VM object. Pure: the same inputs give the same object with its keys in the same order, so that equal VMs have
 * equal bytes. One part of the object per kind of input; each part is a function here or in state.ts, files.ts, storage.ts.
 */
import { isHvm, isKnownBrand } from './brand.js';
import { fromFiles } from './files.js';
import type { Sysinfo, ZoneInputs, ZoneKstat, ZoneRecord } from './inputs.js';
import { stateOf } from './state.js';
import { fromZfs } from './storage.js';
import { merge, packed } from './merge.js';
import { isoFromSeconds } from './time.js';
import type { VmObject } from './vm-object.js';
import type { ZoneConfig, ZoneProperties } from './zone-config.js';

/** An assembled VM, and warnings about its inputs (each worth one log line, not an error). */
export interface Assembly {
  readonly vm: VmObject;
  readonly warnings: readonly string[];
}

/** Assembles a VM object. Takes microseconds: the costly part, parsing, is already done. */
export function assemble(inputs: ZoneInputs): Assembly {
  const { record, xml, kstat, sysinfo } = inputs;
  const state = stateOf(record.state, xml.value.properties);
  const vm: VmObject = merge(
    fromZoneadm(record),
    state,
    { resolvers: [], firewall_enabled: false },
    fromProperties(xml.value.properties, record.brand),
    fromElements(xml.value),
    // zoneadm decides name and brand.
    { zonename: record.zonename, brand: record.brand },
    fromFiles(inputs),
    kstat ? fromKstat(kstat) : {},
    fromSysinfo(sysinfo),
    fromZfs(inputs, state.state),
  );
  return { vm: packed(vm), warnings: warningsOf(inputs) };
}

function fromZoneadm(record: ZoneRecord) {
  return {
    zonename: record.zonename,
    uuid: record.uuid,
    brand: record.brand,
    ...(record.zonepath !== '' && { zonepath: record.zonepath }),
    zone_state: record.state,
    zoneid: record.zoneid,
    ...(record.zonedid !== undefined && { zonedid: record.zonedid }),
    hvm: isHvm(record.brand),
  } satisfies Partial<VmObject>;
}

/** Copies only if something must change: there are many properties. */
function fromProperties(properties: ZoneProperties, brand: string): ZoneProperties {
  const own = brand === 'kvm' ? withKvmAutoboot(properties) : properties;
  if (own.transition === undefined) return own;
  const { transition: _transition, ...others } = own; // state.ts reads it.
  return others;
}

function fromElements({ nics, pciDevices, filesystems, datasets }: ZoneConfig) {
  return {
    nics,
    ...(pciDevices.length > 0 && { pci_devices: pciDevices }),
    ...(filesystems.length > 0 && { filesystems }),
    ...(datasets.length > 0 && { datasets }),
  } satisfies Partial<VmObject>;
}

/** A kvm zone never boots with the host on its own: vmadmd boots it, if vm_autoboot says so. */
function withKvmAutoboot(properties: ZoneProperties): ZoneProperties {
  const { autoboot: _autoboot, vm_autoboot, ...others } = properties;
  return vm_autoboot === undefined ? others : { ...others, autoboot: vm_autoboot };
}

function fromKstat({ initPid, initRestarts, bootTime }: ZoneKstat) {
  const booted = isoFromSeconds(bootTime);
  return {
    pid: initPid,
    init_restarts: initRestarts,
    ...(booted !== undefined && { boot_timestamp: booted }),
  } satisfies Partial<VmObject>;
}

function fromSysinfo(sysinfo: Sysinfo) {
  return merge(
    sysinfo.UUID !== undefined && { server_uuid: sysinfo.UUID },
    sysinfo['Datacenter Name'] !== undefined && { datacenter_name: sysinfo['Datacenter Name'] },
    sysinfo['Headnode ID'] !== undefined && { headnode_id: sysinfo['Headnode ID'] },
    sysinfo['Live Image'] !== undefined && { platform_buildstamp: sysinfo['Live Image'] },
  ) satisfies Partial<VmObject>;
}

function warningsOf({ record, xml }: ZoneInputs): readonly string[] {
  const leftOut = xml.value.unknown.map((name) => `zone XML: ${name} is left out`);
  return isKnownBrand(record.brand)
    ? leftOut
    : [`unknown brand ${record.brand}: treated as joyent`, ...leftOut];
}
