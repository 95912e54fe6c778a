/**
 * vminfo from its arguments to its exit status. Errors become one line on stderr; a reader that went away
 * (`| head`) ends it quietly.
 */
import { once } from 'node:events';
import { styleText } from 'node:util';
import { CommanderError } from 'commander';
import type { VmClient } from '../client/client.js';
import { QueryError } from '../vm/selector.js';
import { CommandError, exit, type Context, type Surroundings } from './context.js';
import { printable } from './printable.js';
import { createProgram, type Target } from './program.js';

/** @returns the exit status; everything it opened is closed. */
export async function main(surroundings: Surroundings): Promise<number> {
  const { argv, stdout, stderr, env } = surroundings;
  const gone = new AbortController();
  const onOutputError = (error: Error) => {
    gone.abort(error);
  };
  stdout.on('error', onOutputError);
  const write = async (text: string) => {
    gone.signal.throwIfAborted();
    if (!stdout.write(text)) await once(stdout, 'drain', { signal: gone.signal });
  };
  const colours = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';

  let status: number = exit.ok;
  const program = createProgram({
    env,
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
    run: async ({ url, fleet }, command) => {
      const client = await clientOf({ url, fleet }, gone.signal);
      const context: Context = {
        client,
        isFleet: fleet !== undefined,
        write,
        warn: (text) => void stderr.write(`vminfo: ${printable(text)}\n`),
        paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
        signal: gone.signal,
      };
      status = await command(context).finally(() => client.close());
    },
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (isBrokenPipe(gone.signal.reason)) return exit.ok;
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage;
    const prefix = error instanceof CommandError ? '' : 'vminfo: ';
    stderr.write(`${prefix}${printable((error as Error).message)}\n`);
    return error instanceof QueryError ? exit.usage : exit.failed;
  } finally {
    stdout.off('error', onOutputError);
  }
}

async function clientOf({ url, fleet }: Target, signal: AbortSignal): Promise<VmClient> {
  if (fleet === undefined) {
    const { VminfodClient } = await import('../client/client.js');
    return new VminfodClient({ url, name: 'vminfo', signal });
  }
  const [{ FleetClient }, { whereIsNats }] = await Promise.all([
    import('../fleet/client.js'),
    import('../fleet/nats-flags.js'),
  ]);
  return FleetClient.connect({ ...(await whereIsNats(fleet)), name: 'vminfo', signal });
}

function isBrokenPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}
