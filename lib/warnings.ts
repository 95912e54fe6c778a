/** Warnings about VMs that recur with every reading. */
import type { Logger } from 'pino';
import { maxWarnings } from './config.js';

/** Logs each warning once, not for every zone and reading that has it. */
export class Warnings {
  readonly #log: Logger;
  readonly #warned = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  warn(zonename: string, warning: string): void {
    if (this.#warned.has(warning)) return;
    if (this.#warned.size > maxWarnings) this.#warned.clear();
    this.#warned.add(warning);
    this.#log.warn({ zonename }, `zone ${zonename}: ${warning}`);
  }
}
