/** What an event's line says of its host. Pure. */
import type { HostNames } from '../vm/event.js';
import type { Sysinfo } from '../vm/inputs.js';

/** The names of the host that sysinfo is about. What it does not say is absent. */
export function namesIn({ UUID, 'Datacenter Name': datacenter }: Sysinfo): HostNames {
  return {
    ...(UUID !== undefined && { server_uuid: UUID }),
    ...(datacenter !== undefined && { datacenter_name: datacenter }),
  };
}
