/** The colour of a state. Pure. */
import type { Style } from './context.js';

/** Green for running, red for failed, dim for stopped, yellow for anything in between. */
export function stateStyle(state: string): Style | undefined {
  switch (state) {
    case 'running':
      return 'green';
    case 'failed':
      return 'red';
    case 'stopped':
    case 'installed':
      return 'dim';
    default:
      return 'yellow';
  }
}
