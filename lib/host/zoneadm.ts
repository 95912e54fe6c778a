/**
 * `zoneadm list -p`: which zones there are, and in what state. One line per zone; a bad line affects only that zone, and
 * a listing that cannot be complete is refused.
 *
 * Format: zoneadm(8) of illumos, with SmartOS's eighth field, the debug id.
 */
import { commandTimeoutMs } from '../config.js';
import type { ZoneRecord } from '../vm/inputs.js';
import { compact } from '../vm/json.js';
import type { CommandResult } from './command.js';
import type { Host, ReadOptions } from './host.js';
import { ParseError, collect, requireWholeLines } from './parse-error.js';
import { isZonename, requireZonename } from './paths.js';

const source = 'zoneadm list';
const command = '/usr/sbin/zoneadm';

export interface ZoneListing {
  /** All non-global zones, by zonename. */
  readonly records: ReadonlyMap<string, ZoneRecord>;
  /** One for each line that could not be read, with its zonename if it has one. */
  readonly errors: readonly ParseError[];
}

/**
 * All zones of the host.
 *
 * @throws CommandError, and ParseError when the listing stops within a line or lacks the global zone.
 */
export async function listZones(
  host: Host,
  { timeoutMs = commandTimeoutMs, signal }: ReadOptions = {},
): Promise<ZoneListing> {
  const { stdout } = await host.run(command, ['list', '-p', '-c'], { timeoutMs, signal });
  requireWholeLines(source, stdout);
  // zoneadm always lists the global zone; without it, "no zones" would delete every VM.
  if (!/^[^:]*:global:/m.test(stdout)) throw new ParseError(source, 'the global zone is missing', stdout);
  return parseZoneRecords(stdout);
}

/**
 * One zone, or `undefined` if it is not configured (any more).
 *
 * @throws CommandError, ParseError, RangeError if no zone can have that name
 */
export async function readZoneRecord(
  host: Host,
  zonename: string,
  { timeoutMs = commandTimeoutMs, signal }: ReadOptions = {},
): Promise<ZoneRecord | undefined> {
  const { stdout, exitCode } = await host.run(command, ['-z', requireZonename(zonename), 'list', '-p'], {
    timeoutMs,
    signal,
    accepts: (result) => result.exitCode === 0 || saysNoSuchZone(result),
  });
  if (exitCode !== 0) return undefined;
  const { records, errors } = parseZoneRecords(requireWholeLines(source, stdout));
  if (errors[0]) throw errors[0];
  const record = records.get(zonename);
  if (!record) throw new ParseError(source, `zone ${zonename} is missing`, stdout, { zonename });
  return record;
}

/**
 * Reads the lines of a listing. The global zone is left out.
 *
 * @throws ParseError when nearly nothing of it can be read.
 */
export function parseZoneRecords(text: string): ZoneListing {
  const records = new Map<string, ZoneRecord>();
  const errors: ParseError[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      const record = parseZoneRecord(line);
      if (record) records.set(record.zonename, record);
    } catch (error) {
      collect(errors, error);
    }
  }
  return { records, errors };
}

/**
 * Reads one line, `zoneid:zonename:state:zonepath:uuid:brand:ip-type:zonedid`; `undefined` for the global zone.
 *
 * @throws ParseError
 */
export function parseZoneRecord(line: string): ZoneRecord | undefined {
  // Only zonepath may contain a colon, written `\:`, but a backslash is not escaped, so a `\` at its end looks like an
  // escape. Counting three fields from the left and four from the right is unambiguous.
  const parts = line.split(':');
  const [zoneid = '', zonename = '', state = ''] = parts;
  const [uuid = '', brand = '', , zonedid = ''] = parts.slice(-4);
  const path = parts.slice(3, -4);
  const fail = (problem: string) =>
    new ParseError(source, problem, line, { zonename: isZonename(zonename) ? zonename : undefined });

  if (parts.length < 8) throw fail(`expected 8 fields, got ${parts.length}`);
  if (!path.slice(0, -1).every((part) => part.endsWith('\\')))
    throw fail(`expected 8 fields, got ${parts.length}`);
  if (zonename === 'global') return undefined;
  if (!isZonename(zonename)) throw fail('expected the name of a zone in the second field');
  if (!/^(-|\d+)$/.test(zoneid)) throw fail(`expected a zone id or '-', got '${zoneid}'`);
  if (!/^\d*$/.test(zonedid)) throw fail(`expected a debug id, got '${zonedid}'`);
  if (state === '') throw fail('expected a state in the third field');
  if (brand === '') throw fail('expected a brand in the sixth field');
  const zonepath = path.join(':').replaceAll('\\:', ':');
  if (zonepath !== '' && !zonepath.startsWith('/'))
    throw fail(`expected an absolute path, got '${zonepath}'`);
  if (uuid === '' && !isUuid(zonename)) throw fail('the zone has no uuid');

  // A copy: kept as long as the zone, it must not keep the whole listing in memory.
  return compact({
    zoneid: zoneid === '-' ? null : Number(zoneid),
    zonename,
    state,
    zonepath,
    uuid: uuid === '' ? zonename : uuid,
    brand,
    zonedid: zonedid === '' ? undefined : Number(zonedid),
  });
}

function saysNoSuchZone({ exitCode, stderr }: CommandResult): boolean {
  return exitCode === 1 && stderr.trimEnd().endsWith('No such zone configured');
}

function isUuid(text: string): boolean {
  return /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(text);
}
