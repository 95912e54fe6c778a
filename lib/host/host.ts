/**
 * The host as a value: where its files are and how its commands are run. Everything in this folder takes one, so that a
 * simulated global zone (`--root DIR`) is read exactly like a real one. Nothing else prefixes a path.
 */
import { setMaxListeners } from 'node:events';
import { isAbsolute, join, normalize } from 'node:path';
import { commandMaxBytes } from '../config.js';
import { type CommandOptions, type CommandResult, type CommandRun, runCommand } from './command.js';
import type { WatchSource } from './file-messages.js';
import { createFileThreads } from './file-threads.js';
import type { Files } from './files.js';
import { createShells } from './shells.js';

/** How to reach a host; everything is optional on a real one. */
export interface HostOptions {
  /** The directory under which all paths and commands are. Default `/`. */
  readonly root?: string;
  /** Aborts every running command, ends the threads that read files, and refuses new ones. */
  readonly signal?: AbortSignal;
  /** Called after each command, e.g. for metrics. It must not throw. */
  readonly onCommand?: (run: CommandRun) => void;
  /** Replaces fs.watch in a test. */
  readonly watch?: WatchSource | undefined;
}

/** How one command is run. */
export interface RunOptions extends Pick<CommandOptions, 'accepts' | 'timeoutMs'> {
  /** Bytes, for each of stdout and stderr. Default `commandMaxBytes`. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Options of every reader that runs a command. */
export interface ReadOptions {
  /** Milliseconds; each reader has its own default in config.ts. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A global zone, real or simulated. */
export interface Host {
  readonly root: string;
  /** Reads and watches its files. */
  readonly files: Files;
  /** Where an absolute path of the host really is: always below the root, even if it contains `..`. */
  path(absolute: string): string;
  /**
   * Runs a command, given by its absolute path on the host.
   *
   * @throws CommandError when it gives no answer.
   */
  run(command: string, args: readonly string[], options: RunOptions): Promise<CommandResult>;
}

/**
 * The host below a root directory.
 *
 * @example const host = createHost({ root: '/tmp/simulated' }); await listZones(host);
 */
export function createHost({ root = '/', signal: ending, onCommand, watch }: HostOptions = {}): Host {
  const above = join(root, '/').slice(0, -1);
  const path = (absolute: string) => {
    if (!isAbsolute(absolute)) throw new RangeError(`Expected an absolute path, got '${absolute}'`);
    // A rescan asks for thousands, and hardly any needs to be normalized.
    return above + (/\/(?:\/|\.\.?(?:\/|$))/.test(absolute) ? normalize(absolute) : absolute);
  };
  // One listener per running command: their number is bounded by the callers, so this is no leak.
  if (ending !== undefined) setMaxListeners(0, ending);
  const shells = createShells(ending);
  return {
    root,
    path,
    files: createFileThreads(watch, ending),
    run: (command, args, { signal, maxBytes = commandMaxBytes, ...options }) => {
      const signals = [ending, signal].filter((each) => each !== undefined);
      return runCommand(shells, path(command), args, { ...options, maxBytes, signals }, onCommand);
    },
  };
}
