/** The host's names in an event's line. Pure. */
import type { HostNames } from '../vm/event.js';
import type { Sysinfo } from '../vm/inputs.js';

/** The host's names from sysinfo. Missing ones are absent. */
export function namesIn({ UUID, 'Datacenter Name': datacenter }: Sysinfo): HostNames {
  return {
    ...(UUID !== undefined && { server_uuid: UUID }),
    ...(datacenter !== undefined && { datacenter_name: datacenter }),
  };
}
