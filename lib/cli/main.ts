/**
 * vminfo from its arguments to its exit status. Errors become one line on stderr; a reader that went away
 * (`| head`) ends it quietly.
 */
import { styleText } from 'node:util';
import { VminfodClient, type VmClient } from '../client/client.js';
import { QueryError } from '../vm/selector.js';
import { CliError, exit, type Context, type Surroundings } from './context.js';
import { printable } from './printable.js';
import { plainCommand } from './plain-commands.js';
import type { Target } from './target.js';

/** @returns the exit status; everything it opened is closed. */
export async function main(surroundings: Surroundings): Promise<number> {
  const { argv, stdout, stderr, env } = surroundings;
  const gone = new AbortController();
  const onOutputError = (error: Error) => {
    gone.abort(error);
  };
  stdout.on('error', onOutputError);
  // If stderr cannot be written, only the exit status is left to tell.
  stderr.on('error', ignore);
  const write = async (text: string) => {
    gone.signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      stdout.write(text, (error) => {
        if (error) reject(new OutputError(error));
        else resolve();
      });
    });
  };
  const helps: Promise<void>[] = [];
  const colours = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';

  const run = async (target: Target, command: (context: Context) => Promise<number>) => {
    const client = await clientOf(target, gone.signal);
    const context: Context = {
      client,
      isFleet: target.fleet !== undefined,
      write,
      warn: (text) => void stderr.write(`vminfo: ${printable(text)}\n`),
      paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
      stdout,
      columns: stdout.isTTY === true ? stdout.columns : undefined,
      signal: gone.signal,
    };
    return command(context).finally(() => client.close());
  };
  const runProgram = async () => {
    const { createProgram, usageStatus } = await import('./program.js');
    let status: number = exit.ok;
    const program = createProgram({
      env,
      writeOut: (text) => {
        helps.push(write(text));
      },
      writeErr: (text) => void stderr.write(text),
      run: async (target, command) => {
        status = await run(target, command);
      },
    });
    try {
      await program.parseAsync(argv, { from: 'user' }).finally(() => Promise.all(helps));
      return status;
    } catch (error) {
      return usageStatus(error);
    }
  };

  try {
    const plain = plainCommand(argv, env);
    return await (plain === undefined ? runProgram() : run(plain.target, plain.run));
  } catch (error) {
    const problem = gone.signal.aborted ? new OutputError(gone.signal.reason as Error) : (error as Error);
    if (codeOf(problem) === 'EPIPE') return exit.ok;
    const prefix = problem instanceof CliError ? '' : 'vminfo: ';
    stderr.write(`${prefix}${problem.message.split('\n').map(printable).join('\n')}\n`);
    if (problem instanceof CliError) return problem.status;
    if (problem instanceof QueryError) return exit.usage;
    return codeOf(problem) === 'ETIMEOUT' ? exit.timeout : exit.failed;
  } finally {
    stdout.off('error', onOutputError);
    stderr.off('error', ignore);
  }
}

async function clientOf({ url, fleet, timeoutMs }: Target, signal: AbortSignal): Promise<VmClient> {
  if (fleet === undefined) {
    return new VminfodClient({
      url,
      name: 'vminfo',
      signal,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  }
  const [{ FleetClient }, { whereIsNats }] = await Promise.all([
    import('../fleet/client.js'),
    import('../fleet/nats-flags.js'),
  ]);
  return FleetClient.connect({ ...(await whereIsNats(fleet)), name: 'vminfo', signal });
}

/** The output cannot be written. */
class OutputError extends Error {
  override readonly name = 'OutputError';
  readonly code: string | undefined;

  constructor(cause: NodeJS.ErrnoException) {
    super(`cannot write the output: ${cause.message}`, { cause });
    this.code = cause.code;
  }
}

function codeOf(error: NodeJS.ErrnoException): string | undefined {
  return error.code;
}

function ignore(): void {
  // Nothing can be done.
}
