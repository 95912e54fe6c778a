/** What a zone's brand decides. A brand that we do not know is treated as joyent, which has no rule of its own. */

const known: ReadonlySet<string> = new Set(['bhyve', 'builder', 'joyent', 'joyent-minimal', 'kvm', 'lx']);

/** Whether we know the brand. */
export function isKnownBrand(brand: string): boolean {
  return known.has(brand);
}

/** Whether a zone of this brand runs a hypervisor. */
export function isHvm(brand: string): boolean {
  return brand === 'bhyve' || brand === 'kvm';
}
