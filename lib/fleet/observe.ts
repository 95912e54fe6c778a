/** What the stream has of one host at the moment: the headers of each VM's last message. Some milliseconds, however many hosts there are. */
import type { Nats } from './connection.js';
import { consume } from './consume.js';
import { asFleetError } from './errors.js';
import { decodeHeaders, decodeMessage, type StoredMessage } from './message.js';
import {
  headerNames,
  parseVmSubject,
  vmStream,
  vmSubject,
  vmSubjects,
  type HostId,
  type VmKey,
} from './names.js';

/** What a publisher must know of a VM's last message. */
export interface Observed {
  /** Its sequence: the next message must say that it follows it. */
  readonly revision: number;
  /** `undefined`: a marker that it is gone, or not a message of ours. */
  readonly hash: string | undefined;
  /** Whether a reader takes it for a VM, or the end of one: anything else is to be overwritten. */
  readonly isOurs: boolean;
}

/** @throws VminfodError */
export async function observe(
  nats: Nats,
  host: HostId,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Observed>> {
  const found = new Map<string, Observed>();
  for await (const raw of consume(nats, vmStream, { filter: vmSubjects(host), headersOnly: true, signal })) {
    if (raw === 'abreast') break;
    const zonename = parseVmSubject(raw.subject)?.zonename;
    if (zonename === undefined) continue;
    const head = decodeHeaders(raw);
    found.set(zonename, { revision: raw.revision, hash: head?.hash, isOurs: head !== undefined });
  }
  return found;
}

/**
 * A VM's last message; `undefined` when there is none or it is not one of ours.
 *
 * @throws VminfodError
 */
export async function lastMessage({ manager }: Nats, key: VmKey): Promise<StoredMessage | undefined> {
  const subject = vmSubject(key);
  try {
    const message = await manager.direct.getMessage(vmStream, { last_by_subj: subject });
    if (message === null) return undefined;
    const { seq: revision, data, header } = message;
    // It is an answer: that it is marked as one says nothing.
    return decodeMessage({
      subject,
      revision,
      data,
      header: (name) => (name === headerNames.answerOf ? '' : header.get(name)),
    });
  } catch (error) {
    throw asFleetError(error, vmStream);
  }
}
