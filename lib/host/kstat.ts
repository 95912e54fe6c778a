/**
 * `kstat -j -m zones -c zone_misc`: what the kernel counts for each running zone. `instance` is the zone id; the zone's
 * name is in the data, as the kstat's own name is cut to 30 characters.
 *
 * Format: kstat(8).
 */
import { commandTimeoutMs } from '../config.js';
import type { ZoneKstat } from '../vm/inputs.js';
import type { Host, ReadOptions } from './host.js';
import { ParseError, collect } from './parse-error.js';

const source = 'kstat';
const command = '/usr/bin/kstat';

export interface KstatListing {
  /** The kstat of each non-global zone with a kernel instance, by zonename. */
  readonly kstats: ReadonlyMap<string, ZoneKstat>;
  /** One for each element that could not be read, with its zonename if it has one. */
  readonly errors: readonly ParseError[];
}

/**
 * The kstats of all zones.
 *
 * @throws CommandError, ParseError
 */
export function readKstats(host: Host, options?: ReadOptions): Promise<KstatListing> {
  return list(host, [], options);
}

/**
 * The kstat of a zone, by the number of its kernel instance; `undefined` if the instance is gone or belongs to another
 * zone.
 *
 * @throws CommandError, ParseError
 */
export async function readKstat(
  host: Host,
  zonename: string,
  zoneid: number,
  options?: ReadOptions,
): Promise<ZoneKstat | undefined> {
  const { kstats, errors } = await list(host, ['-i', String(zoneid)], options);
  if (errors[0] !== undefined) throw errors[0];
  return kstats.get(zonename);
}

async function list(
  host: Host,
  which: readonly string[],
  { timeoutMs = commandTimeoutMs, signal }: ReadOptions = {},
): Promise<KstatListing> {
  const { stdout } = await host.run(command, ['-j', '-m', 'zones', '-c', 'zone_misc', ...which], {
    timeoutMs,
    signal,
    accepts: ({ exitCode, stdout: text }) => exitCode === 0 || (exitCode === 1 && text.trim() === '[]'),
  });
  return parseKstats(stdout);
}

/**
 * Reads the output of kstat.
 *
 * @throws ParseError when it is not a JSON array, or nearly nothing of it can be read.
 */
export function parseKstats(text: string): KstatListing {
  const kstats = new Map<string, ZoneKstat>();
  const errors: ParseError[] = [];
  for (const element of parseArray(text)) {
    const kstat = zoneKstat(element);
    if (!kstat) {
      const zonename = element?.data?.zonename;
      collect(
        errors,
        new ParseError(source, 'expected the kstat of a zone', JSON.stringify(element), {
          zonename: typeof zonename === 'string' ? zonename : undefined,
        }),
      );
    } else if (kstat.zonename !== 'global') {
      kstats.set(kstat.zonename, kstat);
    }
  }
  return { kstats, errors };
}

/** What we look at in an element; none of it is guaranteed to be there. */
type Element = {
  readonly instance?: unknown;
  readonly data?: {
    readonly zonename?: unknown;
    readonly init_pid?: unknown;
    readonly init_restarts?: unknown;
    readonly boot_time?: unknown;
  } | null;
} | null;

function parseArray(text: string): readonly Element[] {
  let value: unknown;
  try {
    value = JSON.parse(mendQuestionMarks(text));
  } catch (cause) {
    throw new ParseError(source, 'expected JSON', text, { cause });
  }
  if (!Array.isArray(value)) throw new ParseError(source, 'expected an array', text);
  return value as readonly Element[];
}

/** kstat prints `?` as `\?`, which is not valid JSON. In `\\?` it is the backslash that is escaped. */
function mendQuestionMarks(text: string): string {
  if (!text.includes('\\?')) return text;
  return text.replace(/\\(.)/g, (pair, character) => (character === '?' ? '?' : pair));
}

function zoneKstat(element: Element): ZoneKstat | undefined {
  const zoneid = element?.instance;
  const { zonename, init_pid, init_restarts, boot_time } = element?.data ?? {};
  return typeof zonename === 'string' &&
    typeof zoneid === 'number' &&
    typeof init_pid === 'number' &&
    typeof init_restarts === 'number' &&
    typeof boot_time === 'number'
    ? { zonename, zoneid, initPid: init_pid, initRestarts: init_restarts, bootTime: boot_time }
    : undefined;
}
