/** What a command gets to work with: the client, where to write, and when to stop. */
import type { VmClient } from '../client/client.js';

export interface Context extends Output {
  readonly client: VmClient;
  /** Whether the client is for the fleet, not for one host. */
  readonly isFleet: boolean;
}

/** Where to write, and when to stop. */
export interface Output {
  /** To stdout; resolves when there is room for more. */
  readonly write: (text: string) => Promise<void>;
  /** To stderr, for people: `vminfo: <text>` and a newline, made safe for a terminal. */
  readonly warn: (text: string) => void;
  /** Styles text if stdout is a terminal with colours. */
  readonly paint: (style: Style, text: string) => string;
  /** The stream behind `write`, for commands that draw instead of printing. */
  readonly stdout: Surroundings['stdout'];
  /** The width of the terminal on stdout, in characters; undefined when it is not a terminal. */
  readonly columns: number | undefined;
  /** Aborts when nobody reads the output any more. */
  readonly signal: AbortSignal;
}

export type Style = 'bold' | 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'inverse';

/** The surroundings of a vminfo process, such as its output; a test passes its own. */
export interface Surroundings {
  /** Arguments after the command's own name. */
  readonly argv: readonly string[];
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Exit status, as the man page promises. */
export const exit = { ok: 0, failed: 1, usage: 2, timeout: 3, destroyed: 4 } as const;

/** A command's failure, whose message is shown to the user verbatim. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** The exit status of vminfo. */
  readonly status: number = exit.failed;
}

/** Options that cannot be combined. */
export class UsageError extends CliError {
  override readonly status = exit.usage;
}
