/**
 * What `import 'vminfod'` gives a program: the client, its errors, and the types of VM objects and events.
 *
 * @example
 * import { VminfodClient } from 'vminfod';
 * await using client = new VminfodClient({ name: 'my-agent' });
 * for await (const event of client.events()) console.log(event.type);
 */
export {
  VminfodClient,
  type ChangesOptions,
  type ClientOptions,
  type EventsOptions,
  type Query,
  type RequestOptions,
} from './client/client.js';
export {
  BadAnswerError,
  BadRequestError,
  NotFoundError,
  NotReadyError,
  StreamEndedError,
  TimeoutError,
  UnreachableError,
  VminfodError,
} from './client/errors.js';
export type { ReadyEvent, StreamEvent } from './client/events.js';
export type { EventMatch, WantedChange, WantedChanges } from './client/matching.js';
export type { LoadError, SourceStatus, Status } from './client/status.js';
export type { WaitOptions } from './client/wait.js';
export type { VmWatcher } from './client/watcher.js';
export type { Change } from './vm/diff.js';
export type { VmCreateEvent, VmDeleteEvent, VmEvent, VmModifyEvent } from './vm/event.js';
export type { PastEvent, PastEvents } from './vm/past-events.js';
export type { DatasetUsage, UsageReport } from './vm/usage.js';
export type { JsonObject, JsonValue } from './vm/json.js';
export type {
  Device,
  Disk,
  Filesystem,
  Nic,
  PciDevice,
  Snapshot,
  VmObject,
  VmProperty,
} from './vm/vm-object.js';
