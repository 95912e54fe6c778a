/** `npm run test:chaos`: the chaos test for as long as one likes. Exit code 1 when something is wrong. */
import { Command } from 'commander';
import { faultsNeverInjected, reportText } from './report.js';
import { runChaos } from './chaos.js';

const { minutes, seed, vms } = new Command('npm run test:chaos --')
  .description('Storms of operator actions and faults over a daemon on a simulated host.')
  .option('--minutes <n>', 'how long the storms last together', Number, 5)
  .option('--seed <n>', 'determines what is done', Number, 1)
  .option('--vms <n>', 'how many VMs the host has', Number, 100)
  .allowExcessArguments(false)
  .parse()
  .opts<{ readonly minutes: number; readonly seed: number; readonly vms: number }>();

const print = (line: string) => {
  process.stdout.write(`${line}\n`);
};
try {
  const report = await runChaos({ seed, seconds: minutes * 60, zones: vms, onProgress: print });
  print(`\n${reportText(report, seed, minutes)}`);
  process.exitCode = report.problems.length + faultsNeverInjected(report).length > 0 ? 1 : 0;
} catch (error) {
  print(`FAILED. Again: npm run test:chaos -- --minutes ${minutes} --seed ${seed}`);
  throw error;
}
