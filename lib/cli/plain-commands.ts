/**
 * The commands that scripts run in loops, with no option except `--url`. They need no argument parser, and loading
 * Commander takes as long as running them. Everything else, help included, goes through Commander (program.ts).
 */
import { checkTimeoutMs } from '../config.js';
import { ping } from './commands/ping.js';
import type { Context, Surroundings } from './context.js';
import { targetOf, type Target } from './target.js';

/** A command that needs no parser. */
export interface PlainCommand {
  readonly target: Target;
  readonly run: (context: Context) => Promise<number>;
}

/** The command, if the arguments consist of nothing else. */
export function plainCommand(argv: readonly string[], env: Surroundings['env']): PlainCommand | undefined {
  const [option, url, name] = argv;
  const options = argv.length === 3 && option === '--url' && url !== undefined ? { url } : {};
  switch (argv.length === 1 ? option : 'url' in options ? name : undefined) {
    case 'ping':
      return {
        target: { ...targetOf(env, options, checkTimeoutMs), fleet: undefined },
        run: (context) => ping(context, {}),
      };
    case 'vms':
      return {
        target: targetOf(env, options),
        run: async (context) => (await import('./commands/vms.js')).vms(context),
      };
    default:
      return undefined;
  }
}
