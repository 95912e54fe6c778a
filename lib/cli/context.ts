/** What a command has in hand: the client, where to write, and when to stop. */
import type { VmClient } from '../client/client.js';

export interface Context {
  readonly client: VmClient;
  /** Whether that is the fleet, and not one host. */
  readonly isFleet: boolean;
  /** To stdout; resolves when there is room for more. */
  readonly write: (text: string) => Promise<void>;
  /** To stderr, for people: `vminfo: <text>` and a newline, made safe for a terminal. */
  readonly warn: (text: string) => void;
  /** Styles text when stdout is a terminal that wants it. */
  readonly paint: (style: Style, text: string) => string;
  /** Where `write` writes to: for what draws instead of printing. */
  readonly stdout: Surroundings['stdout'];
  /** How wide the terminal on stdout is, in characters; undefined when it is none. */
  readonly columns: number | undefined;
  /** Aborts when nobody reads any more. */
  readonly signal: AbortSignal;
}

export type Style = 'bold' | 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'inverse';

/** Where a whole vminfo writes to and what surrounds it; a test passes its own. */
export interface Surroundings {
  /** Arguments after the command's own name. */
  readonly argv: readonly string[];
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Exit status, as the man page promises. */
export const exit = { ok: 0, failed: 1, usage: 2, timeout: 3, destroyed: 4 } as const;

/** A command's failure whose whole message is for the user as it stands. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** With which vminfo ends. */
  readonly status: number = exit.failed;
}

/** Options that do not go together. */
export class UsageError extends CommandError {
  override readonly status = exit.usage;
}
