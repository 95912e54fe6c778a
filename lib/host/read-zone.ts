/**
 * Reads inputs of one zone in parallel. It never fails: each requested input is either read or carries the reason why
 * not.
 */
import { zoneFiles, type InputValues, type ZoneFile, type ZoneInput } from '../vm/inputs.js';
import { isInKernel } from '../vm/newstate.js';
import type { Host } from './host.js';
import { readZoneFiles, type FileReading, type FileVersion } from './zone-files.js';
import type { ZoneCommands } from './zone-commands.js';

/** The result of reading one input: its value, or that it is unchanged, or why it could not be read. */
export type Reading<T> = FileReading<T> | { readonly type: 'failed'; readonly error: Error };

/** The results of reading some of a zone's inputs. */
export type ZoneReadings = { readonly [I in ZoneInput]?: Reading<InputValues[I]> };

/** What is to be read of a zone. */
export interface ZoneTask {
  readonly zonename: string;
  readonly inputs: ReadonlySet<ZoneInput>;
  /** Where its files are; `undefined` when not known: then none is read. */
  readonly zonepath: string | undefined;
  /** Whether its zonepath must exist: files below one that does not cannot be read then, instead of not being there. */
  readonly isInstalled: boolean;
  /** The number of its kernel instance, as last heard. */
  readonly zoneid: number | undefined;
  /** Versions of files that need not be read again. */
  readonly versions?: Partial<Record<ZoneFile, FileVersion>> | undefined;
}

/** Reads what a task asks for. If the zone turns out to have moved, its files are not read: they are elsewhere now. */
export async function readZone(host: Host, task: ZoneTask, commands: ZoneCommands): Promise<ZoneReadings> {
  const { zonename, inputs, zonepath = '', isInstalled, zoneid: heard, versions } = task;
  const files = task.zonepath === undefined ? [] : zoneFiles.filter((file) => inputs.has(file));
  const asked = inputs.has('record') ? attempt(() => commands.record(zonename)) : undefined;
  const askKstat = (zoneid: number | undefined) => attempt(() => commands.kstat(zonename, zoneid));

  /** In parallel with the record if the zoneid is already known, and once more if the record has a different one. */
  const readKstat = async () => {
    const first = heard === undefined ? undefined : askKstat(heard);
    const reading = await asked;
    const record = reading?.type === 'read' ? reading.value : undefined;
    const zoneid = record?.zoneid ?? heard;
    if (first !== undefined && zoneid === heard) return first;
    if (asked !== undefined && record === undefined) return first; // No zone, or none that we know: there is nothing to look up.
    if (record !== undefined && zoneid === undefined && !isInKernel(record)) {
      return { type: 'read', value: undefined, version: undefined } as const;
    }
    return askKstat(zoneid);
  };

  const [record, kstat, read] = await Promise.all([
    asked,
    inputs.has('kstat') ? readKstat() : undefined,
    files.length === 0 ? {} : readZoneFiles(host, { zonename, zonepath, isInstalled }, files, versions),
  ]);
  const hasMoved =
    record?.type === 'read' && record.value !== undefined && record.value.zonepath !== task.zonepath;
  return {
    ...(record !== undefined && { record }),
    ...(kstat !== undefined && { kstat }),
    ...(!hasMoved && read),
  };
}

async function attempt<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { type: 'read', value: await read(), version: undefined };
  } catch (cause) {
    return { type: 'failed', error: cause instanceof Error ? cause : new Error(String(cause)) };
  }
}
