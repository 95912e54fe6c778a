/**
 * A process of its own: runs commands by a waiting shell and by execa in turn, and sends how long they took.
 * Arguments: root, zonename, dataset, MB that it is to have in addition.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { execa } from 'execa';
import { Shell } from '../../lib/host/shell.js';
import { datasetFields } from '../../lib/host/zfs-parse.js';

/** By each of the two ways. */
interface Samples {
  readonly shell: number[];
  readonly execa: number[];
}

/** All times in ms. */
export interface CommandSamples {
  readonly rssMb: number;
  /** From the call to the result. */
  readonly wholeMs: Readonly<Record<string, Samples>>;
  /** Of which our event loop is held. */
  readonly heldMs: Samples;
}

const rounds = 30;
const warmUpRounds = 5;

const [root = '', zonename = '', dataset = '', ballastMb = ''] = process.argv.slice(2);
const ballast = Buffer.alloc(Number(ballastMb) * 2 ** 20, 1);

const zfsList = ['list', '-H', '-p', '-t', 'filesystem,snapshot,volume', '-o', datasetFields.join(',')];
const commands: Readonly<Record<string, readonly [path: string, args: readonly string[]]>> = {
  'zoneadm list of one zone': ['/usr/sbin/zoneadm', ['-z', zonename, 'list', '-p']],
  'kstat of all zones': ['/usr/bin/kstat', ['-j', '-m', 'zones', '-c', 'zone_misc']],
  'zfs list of one dataset': ['/usr/sbin/zfs', [...zfsList, '-d', '1', dataset]],
};

const shell = new Shell();
const ways = {
  shell: (path: string, args: readonly string[]) => shell.run(path, args, 2 ** 24),
  execa: (path: string, args: readonly string[]) =>
    execa(path, args, { stdin: 'ignore', stripFinalNewline: false, extendEnv: false, env: { LC_ALL: 'C' } }),
};

const wholeMs: Record<string, Samples> = {};
const heldMs: Samples = { shell: [], execa: [] };
for (const [name, [path, args]] of Object.entries(commands)) {
  const samples: Samples = { shell: [], execa: [] };
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const way of ['shell', 'execa'] as const) {
      const at = performance.now();
      const running = ways[way](join(root, path), args);
      const held = performance.now() - at;
      await running;
      if (round < 0) continue;
      samples[way].push(performance.now() - at);
      heldMs[way].push(held);
    }
  }
  wholeMs[name] = samples;
}
shell.kill();
const rssMb = process.memoryUsage().rss / 2 ** 20;
process.send?.({ rssMb, wholeMs, heldMs } satisfies CommandSamples, () => {
  process.disconnect();
  ballast.fill(0); // It was needed to the end.
});
