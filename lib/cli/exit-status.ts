/**
 * From what a command does to its exit status. Errors become one line on stderr; a reader that went away (`| head`) ends
 * it quietly.
 */
import { styleText } from 'node:util';
import type { VmClient } from '../client/client.js';
import { QueryError } from '../vm/selector.js';
import { CliError, exit, type Context, type Output, type Surroundings } from './context.js';
import { printable } from './printable.js';

/** @returns the status that `work` resolves with, or the one that its error stands for, once the error is printed. */
export async function exitStatus(
  { stdout, stderr, env }: Surroundings,
  work: (output: Output) => Promise<number>,
): Promise<number> {
  const gone = new AbortController();
  const onOutputError = (error: Error) => {
    gone.abort(error);
  };
  stdout.on('error', onOutputError);
  // If stderr cannot be written, only the exit status is left to tell.
  stderr.on('error', ignore);
  const colours = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const output: Output = {
    write: async (text) => {
      gone.signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        stdout.write(text, (error) => {
          if (error) reject(new OutputError(error));
          else resolve();
        });
      });
    },
    warn: (text) => void stderr.write(`vminfo: ${printable(text)}\n`),
    paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
    stdout,
    columns: stdout.isTTY === true ? stdout.columns : undefined,
    signal: gone.signal,
  };
  try {
    return await work(output);
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

/** Runs a command with a client, which is closed afterwards. */
export function withClient(
  client: VmClient,
  context: Omit<Context, 'client'>,
  command: (context: Context) => Promise<number>,
): Promise<number> {
  return command({ ...context, client }).finally(() => client.close());
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
