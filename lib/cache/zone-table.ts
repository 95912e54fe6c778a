/**
 * What is known of zones: the last good value of each input, and the clock when it was read. A value older than the
 * one at hand is thrown away, and a zone that was removed does not come back with what was read before.
 */
import type {
  DatasetLookup,
  FileInput,
  LastExited,
  Sysinfo,
  ZoneInputs,
  ZoneKstat,
  ZoneRecord,
} from '../vm/inputs.js';
import type { JsonObject } from '../vm/json.js';
import type { ZoneConfig } from '../vm/zone-config.js';
import type { ZoneInput } from '../sources/invalidation.js';

/** What each input is when it could be read. `undefined` where that is an answer: no such file, no kernel instance. */
export interface InputValues {
  readonly record: ZoneRecord;
  readonly xml: FileInput<ZoneConfig>;
  readonly kstat: ZoneKstat | undefined;
  readonly metadata: FileInput<JsonObject> | undefined;
  readonly tags: FileInput<JsonObject> | undefined;
  readonly routes: FileInput<JsonObject> | undefined;
  readonly lastexited: FileInput<LastExited | undefined> | undefined;
  readonly receiving: JsonObject | undefined;
}

/** A value, and the clock when its reading began. */
export interface Reading<T> {
  readonly value: T;
  readonly readAt: number;
}

/** Some of a zone's inputs as read. */
export type Readings = { -readonly [I in ZoneInput]?: Reading<InputValues[I]> };

/** The zones and their inputs. */
export class ZoneTable {
  readonly #zones = new Map<string, Readings>();
  readonly #removed = new Map<string, number>();

  names(): Iterable<string> {
    return this.#zones.keys();
  }

  has(zonename: string): boolean {
    return this.#zones.has(zonename);
  }

  readings(zonename: string): Readings | undefined {
    return this.#zones.get(zonename);
  }

  record(zonename: string): ZoneRecord | undefined {
    return this.#zones.get(zonename)?.record?.value;
  }

  /** Takes in what was read of a zone, as far as it is newer. A zone must come with its record first. Returns what changed. */
  apply(zonename: string, readings: Readings): readonly ZoneInput[] {
    let known = this.#zones.get(zonename);
    if (known === undefined) {
      if (readings.record === undefined || readings.record.readAt < (this.#removed.get(zonename) ?? 0))
        return [];
      known = {};
      this.#zones.set(zonename, known);
      this.#removed.delete(zonename);
    }
    const zone = known;
    return (Object.keys(readings) as ZoneInput[]).filter((input) => takeNewer(zone, readings, input));
  }

  /** Forgets a zone, unless its record was read after that. True if it was known. */
  remove(zonename: string, readAt: number): boolean {
    const known = this.#zones.get(zonename);
    if ((known?.record?.readAt ?? 0) > readAt) return false;
    this.#removed.set(zonename, readAt);
    return this.#zones.delete(zonename);
  }

  /** Forgets which zones were removed before: no reading that began then is under way any more. */
  pruneRemoved(before: number): void {
    for (const [zonename, at] of this.#removed) if (at < before) this.#removed.delete(zonename);
  }

  /** All that assembly needs; `undefined` while the record or the XML was never read. */
  inputs(zonename: string, sysinfo: Sysinfo, datasets: DatasetLookup): ZoneInputs | undefined {
    const known = this.#zones.get(zonename);
    if (known?.record === undefined || known.xml === undefined) return undefined;
    return {
      record: known.record.value,
      xml: known.xml.value,
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

/** True if it is another value than before. A file that was read again counts as another. */
function takeNewer(known: Readings, readings: Readings, input: ZoneInput): boolean {
  const reading = readings[input];
  const before = known[input];
  if (reading === undefined || reading.readAt < (before?.readAt ?? 0)) return false;
  const isSame = before !== undefined && sameFields(before.value, reading.value);
  Object.assign(known, { [input]: isSame ? { value: before.value, readAt: reading.readAt } : reading });
  return !isSame;
}

/** Compares flat objects by value. */
function sameFields(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Object.keys({ ...a, ...b }).every((key) => a[key as keyof typeof a] === b[key as keyof typeof b]);
}
