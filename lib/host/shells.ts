/** The shells of a host: as many as commands run at a time, of which some are kept for the next. */
import { maxIdleShells } from '../config.js';
import { Shell } from './shell.js';

/** Lends shells. */
export interface Shells {
  /** One for as long as `use` takes. What it did not kill others will use. */
  lend<T>(use: (shell: Shell) => Promise<T>): Promise<T>;
}

/** No shells yet. `ending` ends all of them. */
export function createShells(ending: AbortSignal | undefined): Shells {
  const idle: Shell[] = [];
  ending?.addEventListener('abort', () => {
    for (const shell of idle.splice(0)) shell.kill();
  });
  return {
    lend: async (use) => {
      let shell = idle.pop();
      while (shell?.isAlive === false) shell = idle.pop();
      const lent = shell ?? new Shell();
      try {
        return await use(lent);
      } finally {
        if (lent.isAlive && idle.length < maxIdleShells && ending?.aborted !== true) idle.push(lent);
        else lent.kill();
      }
    },
  };
}
