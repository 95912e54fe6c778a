/**
 * The kinds of VM that a hypervisor has, as the scenario is made of them.
 */

/** The kinds of VM that the scenario is made of, and `createZone` takes. */
export type VmKind =
  | 'joyent-minimal'
  | 'joyent'
  | 'lx'
  | 'docker-lx'
  | 'docker-minimal'
  | 'bhyve'
  | 'bhyve-flexible'
  | 'bhyve-passthru'
  | 'kvm'
  | 'kvm-old-layout'
  | 'builder';

/** Every kind, once, so that the first eleven VMs of a host show them all. */
export const vmKinds: readonly VmKind[] = [
  'joyent-minimal',
  'bhyve',
  'docker-lx',
  'joyent',
  'kvm-old-layout',
  'lx',
  'bhyve-flexible',
  'docker-minimal',
  'builder',
  'bhyve-passthru',
  'kvm',
];

/** Whether the kind is hardware virtualisation: its root dataset is not a clone of an image, its disks are volumes. */
export function isHardware(kind: VmKind): boolean {
  return kind.startsWith('bhyve') || kind.startsWith('kvm');
}

/** The brand of its zones. */
export function brandOf(kind: VmKind): string {
  if (kind === 'docker-lx') return 'lx';
  if (kind === 'docker-minimal') return 'joyent-minimal';
  if (kind.startsWith('bhyve')) return 'bhyve';
  if (kind.startsWith('kvm')) return 'kvm';
  return kind;
}
