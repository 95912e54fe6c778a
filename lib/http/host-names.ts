/** What an event's line says of its host, for who collects those of many. Pure. */
import type { Sysinfo } from '../vm/inputs.js';

/** As VM objects name them. What sysinfo does not say is absent. */
export interface HostNames {
  readonly server_uuid?: string;
  readonly datacenter_name?: string;
}

/** The names of the host that sysinfo is about. */
export function hostNames({ UUID, 'Datacenter Name': datacenter }: Sysinfo): HostNames {
  return {
    ...(UUID !== undefined && { server_uuid: UUID }),
    ...(datacenter !== undefined && { datacenter_name: datacenter }),
  };
}
