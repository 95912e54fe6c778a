/**
 * A writer that changes one VM without an event, and asks for a sync while file events arrive for that VM: its change
 * must be in the answer. Nobody else works on this VM, so its true state is known.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import { get } from '../daemon/harness.js';
import { GiB, refused } from './scene.js';
import type { Findings } from './findings.js';

export interface SyncsOptions {
  readonly host: SimulatedHost;
  readonly url: string;
  /** The zone of which all this is. */
  readonly zonename: string;
  readonly findings: Findings;
}

/** The writer. */
export class Syncs {
  readonly #options: SyncsOptions;
  #round = 0;

  constructor(options: SyncsOptions) {
    this.#options = options;
  }

  /** One change and one sync. Without faults it has to succeed. */
  async once({ withFaults }: { readonly withFaults: boolean }): Promise<void> {
    const { host, url, zonename, findings } = this.#options;
    const round = ++this.#round;
    const root = host.dataset(host.zone(zonename).zonepath.slice(1));
    if (root === undefined) throw new Error(`${zonename} has no root dataset`);
    const quota = 100 + round;
    await host.importDatasets([{ ...root, properties: { ...root.properties, quota: quota * GiB } }]);
    await this.#write({ round });
    const asked = get(`${url}/vms/${zonename}?sync=true`);
    const [{ status, json, text }] = await Promise.all([asked, this.#writeBeside()]);
    findings.count('a sync shows what was so before it');
    if (status === 200) {
      const vm = json as { readonly quota: unknown; readonly tags: { readonly round?: unknown } };
      if (vm.quota !== quota)
        findings.problem(`a sync of ${zonename} shows quota ${String(vm.quota)}, ${quota} was set before`);
    } else if (!withFaults || (status === 404 && !findings.vanished.has(zonename))) {
      findings.problem(`a sync of ${zonename}: ${status} ${text}`);
    }
  }

  async #writeBeside(): Promise<void> {
    for (let beside = 0; beside < 3; beside++) {
      await wait(5);
      await this.#write({ beside });
    }
  }

  /** A tag, with its file event; refused while a fault has broken the file. */
  #write(tags: Readonly<Record<string, number>>): Promise<void> {
    const { host, zonename } = this.#options;
    return host.setTags(zonename, tags).catch(refused);
  }
}
