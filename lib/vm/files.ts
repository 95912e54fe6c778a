/** What a zone's files say: metadata, tags, routes, how it last exited, and when any of them was last changed. */
import type { FileInput, LastExited, ZoneInputs } from './inputs.js';
import { isJsonObject, ownProperty, type JsonObject } from './json.js';
import { isoFromMillis, isoFromSeconds } from './time.js';
import type { VmObject } from './vm-object.js';

type FileProperties = Pick<
  VmObject,
  | 'customer_metadata'
  | 'internal_metadata'
  | 'tags'
  | 'routes'
  | 'last_modified'
  | 'exit_status'
  | 'exit_timestamp'
>;

/** The properties that come from files other than the zone XML's content. */
export function fromFiles(inputs: ZoneInputs): FileProperties {
  const { record, metadata, tags, routes, lastexited } = inputs;
  return {
    customer_metadata: objectIn(metadata, 'customer_metadata'),
    internal_metadata: objectIn(metadata, 'internal_metadata'),
    tags: tags?.value ?? {},
    routes: routes?.value ?? {},
    last_modified: lastModified(inputs),
    ...(record.state !== 'running' && lastexited?.value ? exitOf(lastexited.value) : undefined),
  };
}

function objectIn(file: FileInput<JsonObject> | undefined, key: string): JsonObject {
  const value = file && ownProperty(file.value, key);
  return isJsonObject(value) ? value : {};
}

function lastModified({ xml, metadata, tags, routes, lastexited }: ZoneInputs): string {
  const newestMs = Math.max(
    ...[xml, metadata, tags, routes, lastexited].map((file) => file?.mtimeMs ?? -Infinity),
  );
  return isoFromSeconds(newestMs / 1000) ?? new Date(0).toISOString();
}

function exitOf({ seconds, microseconds, waitStatus }: LastExited): Partial<FileProperties> {
  const timestamp = isoFromMillis(seconds * 1000 + microseconds / 1000);
  return {
    exit_status: exitStatus(waitStatus),
    ...(timestamp !== undefined && { exit_timestamp: timestamp }),
  };
}

/** A wait status holds the exit code in its second byte, or else the signal, and whether it dumped core, in its first. */
function exitStatus(waitStatus: number): number {
  if (waitStatus === -1) return 0;
  const signal = waitStatus & 0xff;
  return signal === 0 ? waitStatus >> 8 : -signal;
}
