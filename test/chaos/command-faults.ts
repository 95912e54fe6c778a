/**
 * Commands that are slow, stuck, broken or gone.
 */
import type { Fault } from '../../lib/simulator/index.js';
import { killDescendants } from '../processes.js';
import type { FaultKinds, FaultKit, Inject } from './fault-kit.js';
import { isVminfod } from './vminfod-process.js';

/** See the module's head. */
export function commandFaults({ random, trail, breakCommand }: FaultKit): FaultKinds {
  const kinds: [string, Inject][] = [];
  for (const command of ['zoneadm', 'zfs', 'kstat'] as const) {
    const faults: Readonly<Record<string, () => Fault>> = {
      slow: () => ({ delayMs: random.integer(50, 1_000) }),
      hangs: () => ({ hang: true, full: random.chance(0.5) }),
      fails: () => ({ exitCode: 1, stderr: `${command}: something is wrong` }),
      truncated: () => ({ truncateBytes: random.integer(0, 4_000) }),
      'prints garbage': () => ({
        stdout: random.pick(['', 'garbage', 'a:b\tc', '{']),
        stderr: 'garbage',
      }),
      missing: () => ({ missing: true }),
    };
    for (const [what, fault] of Object.entries(faults))
      kinds.push([`${command} ${what}`, () => breakCommand(command, fault())]);
  }
  return {
    ...Object.fromEntries(kinds),
    'commands killed': async () => {
      const count = await killDescendants(
        (args) => !args.includes('sysevent') && !args.startsWith('tail ') && !isVminfod({ args }),
      );
      trail.note(`  ${count} killed`);
      return undefined;
    },
  };
}
