/** `npm run bench`: the figures that users feel, each beside what bounds it, as a short table, a full one or JSON. */
import { Command, Option } from 'commander';
import { createSimulatedHost } from '../../lib/simulator/index.js';
import { measureBurst } from './burst.js';
import { measureCommands } from './commands.js';
import { measureFanOut } from './fan-out.js';
import { measureLatency } from './latency.js';
import { measureMemory } from './memory.js';
import { measureRead } from './read.js';
import type { Measurement } from './measurement.js';
import { machine, shortened, toJson, toTable, type Result } from './report.js';
import { measureRescan } from './rescan.js';
import { measureSnapshots } from './snapshots.js';
import { measureStart } from './start.js';

const measurements: Readonly<Record<string, Measurement>> = {
  start: measureStart,
  read: measureRead,
  latency: measureLatency,
  burst: measureBurst,
  'fan-out': measureFanOut,
  memory: measureMemory,
  rescan: measureRescan,
  snapshots: measureSnapshots,
  commands: measureCommands,
};

const { vms, only, full, json } = new Command('npm run bench --')
  .description('Measures vminfod on simulated hosts. Takes some minutes.')
  .option('--vms <n...>', 'how many VMs the hosts have', ['50', '200', '1000'])
  .addOption(new Option('--only <measurement...>', 'what to measure').choices(Object.keys(measurements)))
  .option(
    '--full',
    'print all figures, also those that only who works on vminfod wants; so does --only',
    false,
  )
  .option('--json', 'print JSON', false)
  .allowExcessArguments(false)
  .parse()
  .opts<{
    readonly vms: readonly string[];
    readonly only?: readonly string[];
    readonly full: boolean;
    readonly json: boolean;
  }>();

const where = machine();
const results: Result[] = [];
for (const size of vms.map(Number)) {
  const host = await createSimulatedHost({ vms: size });
  try {
    for (const [measurement, measure] of Object.entries(measurements)) {
      if (only !== undefined && !only.includes(measurement)) continue;
      process.stderr.write(`${size} VMs: ${measurement}\n`);
      results.push({ measurement, vms: size, figures: await measure({ host, vms: size }) });
    }
  } finally {
    await host.remove();
  }
}
const shown = full || only !== undefined ? results : shortened(results);
process.stdout.write(json ? toJson(results, where) : toTable(shown, where));
