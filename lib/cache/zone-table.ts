/**
 * What is known of zones: the last good value of each input, and the clock when its reading began. A value older than the
 * current one is discarded, and a reading that began before a zone was removed does not bring it back.
 */
import type { ZoneReadings } from '../host/read-zone.js';
import type { FileVersion } from '../host/zone-files.js';
import { keepEqual } from '../vm/equal.js';
import type { DatasetLookup, InputValues, Sysinfo, ZoneInput, ZoneInputs } from '../vm/inputs.js';
import type { JsonValue } from '../vm/json.js';
import type { Waiter } from './requests.js';

/** A value, when its reading began, and for a file which version it is. */
interface Known<T> {
  readonly value: T;
  readAt: number;
  readonly version: FileVersion;
}

/** A zone that zoneadm knows. */
export interface Zone {
  readonly zonename: string;
  readonly known: { -readonly [I in ZoneInput]?: Known<InputValues[I]> };
  /** Where its files are; '' when it has no zonepath. */
  zonepath: string;
  /** The datasets and snapshots that its VM shows and that have been listed since: no change of these can be missed. */
  readonly listed: Set<string>;
  /** Those that must be listed before its VM can be shown as it is now, each with who waits for that. */
  awaits: Map<string, readonly Waiter[]>;
  /** The sysinfo that its VM shows, or will once these have been listed. */
  sysinfo: Sysinfo | undefined;
  /** Whether its XML is missing and will be looked for again. */
  isLookedFor: boolean;
  /** The latest announced state for which something has been read. */
  announcedAt: number;
}

/** The zones and their inputs. */
export class ZoneTable {
  readonly #zones = new Map<string, Zone>();
  /** When a zone was removed; kept while a reading that began earlier may still arrive. */
  readonly #removed = new Map<string, number>();
  #prunedBefore = 0;

  names(): Iterable<string> {
    return this.#zones.keys();
  }

  get(zonename: string): Zone | undefined {
    return this.#zones.get(zonename);
  }

  /** When the reading of the current value began; for a zone that is gone, the one that found it gone. 0: never read. */
  readAt(zonename: string, input: ZoneInput): number {
    return this.#zones.get(zonename)?.known[input]?.readAt ?? this.#removed.get(zonename) ?? 0;
  }

  /** Adds a zone whose record was read then. `undefined` when it was removed later. */
  add(zonename: string, readAt: number): Zone | undefined {
    if ((this.#removed.get(zonename) ?? 0) > readAt) return undefined;
    this.#removed.delete(zonename);
    const zone: Zone = {
      zonename,
      known: {},
      zonepath: '',
      listed: new Set(),
      awaits: new Map(),
      sysinfo: undefined,
      isLookedFor: false,
      announcedAt: 0,
    };
    this.#zones.set(zonename, zone);
    return zone;
  }

  /**
   * Takes in what was read of a zone, as far as it is newer. Returns the inputs that changed, and those that were not
   * taken but differ from what is known: there is no telling which of the two is current.
   */
  take(zone: Zone, readings: ZoneReadings, readAt: number): Record<'changed' | 'outdated', ZoneInput[]> {
    const changed: ZoneInput[] = [];
    const outdated: ZoneInput[] = [];
    for (const input of Object.keys(readings) as ZoneInput[]) {
      const reading = readings[input];
      if (reading === undefined || reading.type === 'failed') continue;
      const before: Known<unknown> | undefined = zone.known[input];
      const now = reading.type === 'unchanged' ? before : asItWas(before, reading);
      if (now === undefined) continue;
      const isSame = before !== undefined && now.value === before.value;
      if (readAt >= (before?.readAt ?? 0)) {
        if (isSame && now.version === before.version) before.readAt = readAt;
        else Object.assign(zone.known, { [input]: { value: now.value, version: now.version, readAt } });
        if (!isSame) changed.push(input);
      } else if (!isSame) outdated.push(input);
    }
    return { changed, outdated };
  }

  /** Removes a zone, unless its record was read after that. True if it is gone. */
  remove(zonename: string, readAt: number): boolean {
    if (this.readAt(zonename, 'record') > readAt) return false;
    this.#removed.set(zonename, readAt);
    this.#zones.delete(zonename);
    return true;
  }

  /** Forgets zones removed before then: no reading that began earlier is still under way. */
  prune(before: number): void {
    if (before === this.#prunedBefore) return;
    this.#prunedBefore = before;
    for (const [zonename, at] of this.#removed) if (at < before) this.#removed.delete(zonename);
  }

  /** Everything that assembly needs; `undefined` until both the record and the XML have been read. */
  inputs({ known }: Zone, sysinfo: Sysinfo, datasets: DatasetLookup): ZoneInputs | undefined {
    const record = known.record?.value;
    const xml = known.xml?.value;
    if (record === undefined || xml === undefined) return undefined;
    return {
      record,
      xml,
      kstat: known.kstat?.value,
      metadata: known.metadata?.value,
      tags: known.tags?.value,
      routes: known.routes?.value,
      lastexited: known.lastexited?.value,
      receiving: known.receiving?.value,
      sysinfo,
      datasets,
    };
  }
}

/** What was read. Whatever in it is as it was is the very same object as before: much of a big file is. */
function asItWas(before: Known<unknown> | undefined, reading: Omit<Known<unknown>, 'readAt'>) {
  const { value, version } = reading;
  if (before !== undefined && version !== undefined && version === before.version) return before;
  const kept = keepEqual(before?.value as JsonValue | undefined, value as JsonValue | undefined);
  return { value: kept, version };
}
