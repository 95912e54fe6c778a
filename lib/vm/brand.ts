/** What a zone's brand decides. */

export type Brand = (typeof brands)[number];

const brands = ['bhyve', 'builder', 'joyent', 'joyent-minimal', 'kvm', 'lx'] as const;

/** The brand by whose rules a VM is assembled: its own, or joyent's when we do not know it. */
export function brandRules(brand: string): Brand {
  return brands.find((known) => known === brand) ?? 'joyent';
}

/** Whether we know the brand. */
export function isKnownBrand(brand: string): boolean {
  return brands.some((known) => known === brand);
}

/** Whether a zone of this brand runs a hypervisor. */
export function isHvm(brand: string): boolean {
  return brand === 'bhyve' || brand === 'kvm';
}
