/** The properties that a VM has only in the fleet: `datacenter`, `host` and `stale`. */
import type { VmObject } from '../vm/vm-object.js';
import type { FleetHost } from './hosts.js';
import { hostName, type HostId } from './names.js';

/** Sets these properties from what is known of the hosts. */
export class Dressing {
  readonly #hosts = new Map<string, FleetHost>();

  constructor(hosts: readonly FleetHost[]) {
    this.set(hosts);
  }

  /** What is known of these hosts from now on. */
  set(hosts: readonly FleetHost[]): void {
    for (const host of hosts) this.#hosts.set(hostName(host), host);
  }

  /** A VM of a host, in place of what it had of these properties. */
  dress(vm: VmObject, id: HostId): VmObject {
    const host = this.#hosts.get(hostName(id));
    const dressed: VmObject & { stale?: string } = {
      ...vm,
      server_uuid: id.server,
      ...{ datacenter: id.datacenter, host: host?.record.hostname ?? id.server },
    };
    delete dressed.stale;
    return host?.stale === undefined ? dressed : { ...dressed, ...{ stale: host.stale } };
  }
}
