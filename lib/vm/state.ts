/** A VM's `state`: zoneadm's state, combined with what the zone XML says about a transition, provisioning or a failure. */
import type { VmObject } from './vm-object.js';
import type { ZoneProperties } from './zone-config.js';

type StateProperties = Pick<VmObject, 'state' | 'transition' | 'transition_to' | 'transition_expire'>;

/** `zoneState` as zoneadm prints it. A `transition` is parsed, or kept unparsed when it is not `state:to:expire`. */
export function stateOf(zoneState: string, properties: ZoneProperties): StateProperties {
  const transition = properties.transition === undefined ? undefined : readTransition(properties.transition);
  const { state = zoneState === 'installed' ? 'stopped' : zoneState, ...rest } = transition ?? {};
  return { state: overridden(state, properties), ...rest };
}

function overridden(state: string, { failed, provisioning }: ZoneProperties): string {
  if (failed !== undefined && failed !== '') return 'failed';
  return state === 'stopped' && provisioning === true ? 'provisioning' : state;
}

function readTransition(text: string): Partial<StateProperties> {
  const [state, to, expire, ...more] = text.split(':');
  if (!state || to === undefined || !expire || more.length > 0 || !Number.isFinite(Number(expire))) {
    return { transition: text };
  }
  return { state, transition_to: to, transition_expire: Number(expire) };
}
