/**
 * Lines as sysevent(8) prints them, and posting them: a line appended to a channel's file reaches every
 * `sysevent` that listens to it. While a channel drops, as a kernel under pressure does, nothing is appended.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFile } from './files.js';
import type { Channel, Paths } from './paths.js';

/** The pool's guid in every history event: beyond what a JS number holds, as real ones are. */
export const poolGuid = 2409849472004588773n;

/** A zone's change of state, as the kernel or zonecfg publishes it. */
export interface ZoneStatusEvent {
  readonly publisher: 'kernel' | 'zonecfg';
  readonly zonename: string;
  readonly newstate: string;
  readonly oldstate: string;
  /** -1 for one that has no kernel instance. */
  readonly zoneid: number;
}

/** What `zfs` did, as in `zpool history -i`. Pool-wide events have no dataset. */
export interface HistoryEvent {
  /** history_internal_name, e.g. `set`. */
  readonly name: string;
  /** history_dsname: the dataset or snapshot. */
  readonly dataset?: string;
  /** history_internal_str, e.g. `quota=21474836480`. */
  readonly detail: string;
  readonly dsid?: number;
  readonly txg: number;
  readonly pool?: string;
}

/** The line of a zone's change of state. */
export function zoneStatusLine(event: ZoneStatusEvent): string {
  const { publisher, zonename, newstate, oldstate, zoneid } = event;
  return toLine({
    ...head(),
    vendor: 'sun.com',
    publisher,
    class: 'status',
    subclass: 'change',
    pid: publisher === 'kernel' ? 0 : process.pid,
    data: { zonename, newstate, oldstate, zoneid, when: nowNs() },
    channel: 'com.sun:zones:status',
  });
}

/** The line that says that a zone's init was restarted. */
export function initRestartLine(event: { zonename: string; zoneid: number; restarts: number }): string {
  const { restarts, zonename, zoneid } = event;
  return toLine({
    ...head(),
    vendor: 'sun.com',
    publisher: 'kernel',
    class: 'init',
    subclass: 'restart',
    pid: 0,
    data: { restarts, zonename, zoneid, when: nowNs() },
    channel: 'com.sun:zones:status',
  });
}

/** The line of a ZFS history event. */
export function historyLine(event: HistoryEvent): string {
  return toLine({
    ...head(),
    vendor: 'SUNW',
    publisher: 'zfs',
    class: 'EC_zfs',
    subclass: 'ESC_ZFS_history_event',
    pid: 0,
    data: {
      pool_name: event.pool ?? event.dataset?.split(/[/@]/)[0] ?? 'zones',
      pool_guid: poolGuid,
      history_hostname: 'gz',
      ...(event.dataset === undefined ? {} : { history_dsname: event.dataset }),
      history_internal_str: event.detail,
      history_internal_name: event.name,
      ...(event.dsid === undefined ? {} : { history_dsid: event.dsid }),
      history_txg: event.txg,
      history_time: Math.floor(Date.now() / 1000),
    },
  });
}

/** Posts lines on a channel: all of them or, while it drops, none. */
export function post(paths: Paths, channel: Channel, lines: readonly string[]): void {
  if (lines.length > 0 && !existsSync(paths.dropped(channel))) postRaw(paths, channel, lines);
}

/** Posts lines whatever they are, even while the channel drops. */
export function postRaw(paths: Paths, channel: Channel, lines: readonly string[]): void {
  appendFileSync(paths.channel(channel), lines.map((line) => `${line}\n`).join(''));
}

/** The process ids of the `sysevent` commands that are running in this tree. */
export function runningSysevents(paths: Paths, channel?: Channel): number[] {
  return readdirSync(paths.syseventPids)
    .filter((name) => {
      const file = join(paths.syseventPids, name);
      if (!isRunning(Number(name), paths)) {
        removeFile(file);
        return false;
      }
      return channel === undefined || readFileSync(file, 'utf8').trim() === channel;
    })
    .map(Number);
}

function isRunning(pid: number, paths: Paths): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false; // there is no such process, or it is another's and so not ours
  }
  const cmdline = `/proc/${pid}/cmdline`;
  if (!existsSync(cmdline)) return true; // no procfs to tell a reused pid by
  const text = readFileSync(cmdline, 'utf8');
  // It has no command line for a moment while it becomes tail, nor as a zombie.
  return text === ''
    ? !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
    : text.includes(paths.root);
}

function head(): { date: string; type: 'event' } {
  return { date: new Date().toISOString(), type: 'event' };
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
}

/** JSON with 64-bit integers in full, which JSON.stringify cannot write. */
function toLine(value: object): string {
  const marked = JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' ? `\u0001${item}\u0001` : item,
  );
  return marked.replace(/"\\u0001(\d+)\\u0001"/g, '$1');
}
