/**
 * The commands that scripts run in loops, as they write them: without options but `--url`. They need nobody to read their
 * arguments, and Commander takes as long to load as they take to run. All else, and each help, is Commander's (program.ts).
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

/** The command, if that is all that the arguments say. */
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
