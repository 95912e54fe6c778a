/**
 * A zone's configuration as zonecfg(8) knows it, and the changes that vmadm makes to it.
 */

/** The resources of one zone, in the words of zonecfg. Mutable: the operator changes it. */
export interface Zonecfg {
  zonename: string;
  zonepath: string;
  brand: string;
  autoboot: boolean;
  ipType: 'exclusive' | 'shared';
  limitpriv?: string;
  fsAllowed?: string;
  debugid: number;
  attrs: { name: string; type: string; value: string }[];
  rctls: { name: string; priv: string; limit: number; action: string }[];
  /** Delegated datasets. */
  datasets: string[];
  filesystems: { special: string; raw?: string; directory: string; type: string; options: string[] }[];
  networks: { attributes: Record<string, string>; netAttrs: Record<string, string> }[];
  devices: { match: string; netAttrs: Record<string, string> }[];
}

/** Attrs whose value zonecfg holds in base64. */
const base64Attrs = new Set([
  'alias',
  'qemu-extra-opts',
  'qemu-opts',
  'spice-opts',
  'spice-password',
  'vnc-password',
]);

/** What `host.updateConfig` takes instead of a function. `null` removes a value. */
export interface ConfigChange {
  readonly autoboot?: boolean;
  readonly limitpriv?: string;
  /** Attr values by name, e.g. `{alias: 'db01', ram: 1024}`; those that zonecfg holds in base64 are encoded. */
  readonly attrs?: Readonly<Record<string, string | number | boolean | null>>;
  /** Limits by rctl name, e.g. `{'zone.cpu-shares': 200}`. */
  readonly rctls?: Readonly<Record<string, number | null>>;
}

/** Applies a change to a configuration. */
export function applyChange(config: Zonecfg, change: ConfigChange): void {
  if (change.autoboot !== undefined) config.autoboot = change.autoboot;
  if (change.limitpriv !== undefined) config.limitpriv = change.limitpriv;
  for (const [name, value] of Object.entries(change.attrs ?? {})) setAttr(config, name, value);
  for (const [name, limit] of Object.entries(change.rctls ?? {})) setRctl(config, name, limit);
}

/** The decoded value of an attr (not base64), or undefined. */
export function attrOf(config: Zonecfg, name: string): string | undefined {
  const value = config.attrs.find((attr) => attr.name === name)?.value;
  return value !== undefined && base64Attrs.has(name) ? Buffer.from(value, 'base64').toString() : value;
}

/** Sets an attr, in place if it exists; `null` removes it. */
export function setAttr(config: Zonecfg, name: string, value: string | number | boolean | null): void {
  if (value === null) {
    config.attrs = config.attrs.filter((attr) => attr.name !== name);
    return;
  }
  const text = base64Attrs.has(name) ? Buffer.from(String(value)).toString('base64') : String(value);
  const attr = config.attrs.find((each) => each.name === name);
  if (attr === undefined) config.attrs.push({ name, type: 'string', value: text });
  else attr.value = text;
}

/** Sets a resource control with the privilege and action that vmadm gives it; `null` removes it. */
export function setRctl(config: Zonecfg, name: string, limit: number | null): void {
  config.rctls = config.rctls.filter((rctl) => rctl.name !== name || limit !== null);
  if (limit === null) return;
  const rctl = config.rctls.find((each) => each.name === name);
  const action = name === 'zone.cpu-shares' || name === 'zone.zfs-io-priority' ? 'none' : 'deny';
  if (rctl === undefined) config.rctls.push({ name, priv: 'privileged', limit, action });
  else rctl.limit = limit;
}
