/** The colour of a state. Pure. */
import type { Style } from './context.js';

/** For the eye: what runs is well, what failed is not, what is neither is on its way. */
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
