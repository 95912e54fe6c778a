/** What the zone XML says about a VM, in the VM object's terms: produced by zone-xml.ts, consumed by assembly. */
import type { Device, Filesystem, Nic, PciDevice } from './vm-object.js';
import type { attrTable, FromTable, rctlTable, zoneTable } from './zone-tables.js';

/** Properties that stand alone in the XML: attributes of `<zone>`, `<attr>`s and `<rctl>`s. */
export type ZoneProperties = FromTable<typeof zoneTable> &
  FromTable<typeof attrTable> &
  FromTable<typeof rctlTable>;

/** What the zone XML says about a VM. */
export interface ZoneConfig {
  /** Under the VM object's names, in the order of the tables. */
  readonly properties: ZoneProperties;
  /** Sorted by the number of their interface. */
  readonly nics: readonly Nic[];
  /** Sorted by the number of their path. */
  readonly disks: readonly Device[];
  /** Devices with model `passthru`, in document order. */
  readonly pciDevices: readonly PciDevice[];
  /** In document order. */
  readonly filesystems: readonly Filesystem[];
  /** Names, in document order. */
  readonly datasets: readonly string[];
  /**
   * Parts that were left out because the tables do not know them, or because the value is not of its type, e.g. `attr
   * foo` or `attr ram (not a number)`. Each is worth one log line.
   */
  readonly unknown: readonly string[];
}
