/**
 * What tells VMs apart, for a VM as for an event about it: on one host the zonename; in the fleet, where a VM that is being
 * migrated is on two, the host as well. Pure.
 */
export function vmKey(each: { readonly zonename: string; readonly server_uuid?: string }): string {
  const { datacenter } = each as { datacenter?: string };
  return datacenter === undefined
    ? each.zonename
    : `${datacenter}/${each.server_uuid ?? ''}/${each.zonename}`;
}
