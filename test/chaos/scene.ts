/**
 * What an operator has before them when they do something, and what they make of a host that refuses.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  SimulatorError,
  ZfsError,
  type Random,
  type SimulatedHost,
  type SimulatedZone,
} from '../../lib/simulator/index.js';

/** The host, and a zone picked at random. */
export interface Scene {
  readonly host: SimulatedHost;
  readonly zone: SimulatedZone;
  readonly random: Random;
  /** The zone's root dataset, whether or not it is there. */
  readonly root: string;
  /** Its snapshots that nothing holds. */
  readonly snapshots: readonly string[];
  readonly disks: readonly string[];
  /** Datasets that the operator made beside the VMs'. */
  readonly scratch: string[];
  /** Datasets that were renamed, and to what. */
  readonly renamed: Map<string, string>;
  readonly vanished: Set<string>;
}

/** A kind of thing to do. What it resolves to, if it is text, is noted. */
export interface Action {
  /** How often, compared with the others. */
  readonly weight: number;
  /**
   * No event tells of all of it. A sparse volume that is resized has none; and when a snapshot goes, the next one takes
   * over what it held, so that its size changes without a word.
   */
  readonly silent?: boolean;
  readonly act: (scene: Scene) => Promise<unknown>;
}

/** Actions by name. */
export type Actions = Readonly<Record<string, Action>>;

export const GiB = 2 ** 30;

/** One of them. Without any there is nothing to do, and the action is refused. */
export function pick<T>(random: Random, items: readonly T[]): T {
  if (items.length === 0) throw new SimulatorError('chaos', 'there is none');
  return random.pick(items);
}

/** What a real host would refuse too. */
export function isRefusal(error: unknown): error is Error {
  return (
    error instanceof SimulatorError ||
    error instanceof ZfsError ||
    (error as NodeJS.ErrnoException).code === 'ENOENT'
  );
}

/** For where a refusal does not matter. */
export function refused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}

/** Moves a file or directory out of the way; the function returned puts it back, unless another has taken its place. */
export function moveAway(host: SimulatedHost, random: Random, path: string): () => void {
  const away = host.path(`/tmp/away-${random.hex(12)}`);
  renameSync(path, away);
  return () => {
    if (existsSync(path) || !existsSync(dirname(path))) rmSync(away, { recursive: true });
    else renameSync(away, path);
  };
}
