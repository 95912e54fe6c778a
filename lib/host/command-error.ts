/** Why a command gave no answer, for the operator who reads it and for the code that decides whether to retry. */
import { errorTextMaxChars } from '../config.js';

/**
 * Why a command gave no answer: it is not there (`ENOENT`) or could not be started (`SPAWN`), took too long (`TIMEOUT`),
 * exited with an unaccepted status (`EXIT`), printed too much (`OUTPUT_LIMIT`) or its output could not be read
 * (`OUTPUT`), was killed by someone else (`SIGNAL`), or was no longer wanted (`ABORTED`).
 */
export type CommandErrorCode =
  'ENOENT' | 'SPAWN' | 'TIMEOUT' | 'EXIT' | 'OUTPUT_LIMIT' | 'OUTPUT' | 'SIGNAL' | 'ABORTED';

/** What makes up a CommandError, besides the command. */
export interface CommandErrorDetails {
  readonly code: CommandErrorCode;
  readonly problem: string;
  readonly exitCode?: number | undefined;
  readonly stderr?: string | undefined;
  readonly cause?: unknown;
}

/** A command that gave no answer. Its message is one line that an operator understands. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly command: string;
  readonly args: readonly string[];
  readonly code: CommandErrorCode;
  /** What is wrong, independent of the command's arguments. */
  readonly problem: string;
  readonly exitCode: number | undefined;
  /** The beginning of what it wrote to stderr. */
  readonly stderr: string;

  constructor(
    command: string,
    args: readonly string[],
    { code, problem, exitCode, stderr = '', cause }: CommandErrorDetails,
  ) {
    super(`${commandLine(command, args)} ${problem}`, cause === undefined ? undefined : { cause });
    this.command = command;
    this.args = args;
    this.code = code;
    this.problem = problem;
    this.exitCode = exitCode;
    this.stderr = stderr.slice(0, errorTextMaxChars);
  }
}

function commandLine(command: string, args: readonly string[]): string {
  const line = [command, ...args].join(' ');
  return line.length <= 100 ? line : `${line.slice(0, 100)} …`;
}
