/** Which daemon or fleet a command talks to, from the global options and the environment. */
import { VminfodClient } from '../client/client.js';
import { defaultListen, defaultPort } from '../config.js';

/** A host's daemon, or the fleet. */
export interface Target {
  readonly url: string;
  readonly fleet: string | undefined;
  /** How long it may take to answer; `undefined`: the client's default. */
  readonly timeoutMs: number | undefined;
}

/** vminfo's global options. */
export interface TargetOptions {
  readonly url?: string;
  readonly fleet?: string;
  /** Seconds; 0: for ever. */
  readonly timeout?: number;
}

export const defaultUrl = `http://${defaultListen}:${defaultPort}`;

/** @param defaultTimeoutMs Used without `--timeout`; `undefined`: the client's default. */
export function targetOf(
  env: Readonly<Record<string, string | undefined>>,
  { url, fleet, timeout }: TargetOptions,
  defaultTimeoutMs?: number,
): Target {
  return {
    url: url ?? env['VMINFOD_URL'] ?? defaultUrl,
    fleet: fleet ?? (url ? undefined : env['VMINFO_FLEET']),
    timeoutMs: timeout === undefined ? defaultTimeoutMs : timeout * 1000 || Infinity,
  };
}

/** A client of one host's daemon. */
export function hostClient({ url, timeoutMs }: Target, signal: AbortSignal): VminfodClient {
  return new VminfodClient({ url, name: 'vminfo', signal, ...(timeoutMs !== undefined && { timeoutMs }) });
}
