/** What every measurement is given, and gives. */
import type { SimulatedHost } from '../../lib/simulator/index.js';
import type { Figure } from './report.js';

/** The host to measure on. A measurement may change VMs; it leaves the host whole, with all VMs running as before. */
export interface Bench {
  readonly host: SimulatedHost;
  readonly vms: number;
}

/** Measures one thing on one host, with daemons of its own. */
export type Measurement = (bench: Bench) => Promise<readonly Figure[]>;
