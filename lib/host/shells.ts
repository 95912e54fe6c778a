/** The shells of a host: one per command running at a time. Some are kept for the next commands. */
import { maxIdleShells } from '../config.js';
import { Shell } from './shell.js';

/** Lends shells. */
export interface Shells {
  /** Lends a shell until `use` settles. Unless it was killed, others use it afterwards. */
  lend<T>(use: (shell: Shell) => Promise<T>): Promise<T>;
}

/** Shells are started when needed. `ending` ends all of them. */
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
