/**
 * The captures of a real `zfs list` in test/fixtures/zfs. They ask for the properties in alphabetical order, with the mountpoint
 * in the middle; we ask for it last. `asWeAsk` gives a capture's output as zfs would have printed it to us.
 */
import { readFileSync } from 'node:fs';
import { datasetFields } from '../../lib/host/zfs-parse.js';

const directory = new URL('../../../test/fixtures/zfs/', import.meta.url);

const capturedFields = (
  'compression,creation,filesystem_limit,mountpoint,name,quota,recsize,refquota,refreservation,' +
  'snapshot_limit,type,usedbysnapshots,userrefs,volblocksize,volsize,written,zoned'
).split(',');

export interface Capture {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export function capture(name: string): Capture {
  const read = (extension: string) => readFileSync(new URL(`list/${name}.${extension}`, directory), 'utf8');
  return { stdout: read('out'), stderr: read('err'), exitCode: Number(read('rc')) };
}

export function asWeAsk(name: string): string {
  const middle = capturedFields.indexOf('mountpoint');
  const records: string[] = [];
  let pending = '';
  for (const line of capture(name).stdout.split('\n').slice(0, -1)) {
    pending = pending === '' ? line : `${pending}\n${line}`;
    if (pending.split('\t').length < capturedFields.length) continue;
    const columns = pending.split('\t');
    const extra = columns.length - capturedFields.length;
    columns.splice(middle, extra + 1, columns.slice(middle, middle + extra + 1).join('\t'));
    records.push(datasetFields.map((field) => columns[capturedFields.indexOf(field)]).join('\t') + '\n');
    pending = '';
  }
  return records.join('');
}

/** The history events of all captured commands, as sysevent(8) prints their `data`, one string of JSON each. */
export function historyEvents(): readonly {
  readonly step: string;
  readonly command: string;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}[] {
  const lines = readFileSync(new URL('history-events.jsonl', directory), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as ReturnType<typeof historyEvents>[number]);
}
