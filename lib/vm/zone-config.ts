/** What the zone XML says of a VM, as properties of the VM object. */
export interface ZoneConfig {
  /** Properties of the VM object that come from the XML, under their VM names. */
  readonly properties: object;
  /** Names that the tables do not know, e.g. `attr foo`; each is logged once. */
  readonly unknown: readonly string[];
}
