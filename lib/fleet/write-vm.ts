/** A write of the Reconciler's as a message, sent and acknowledged. */
import { headers } from '@nats-io/transport-node';
import { fleet as limits } from '../config.js';
import { diff } from '../vm/diff.js';
import type { Nats } from './connection.js';
import { asFleetError, ConflictError } from './errors.js';
import { encodeMessage, type EncodedMessage, type VmMessage } from './message.js';
import { vmSubject, type HostId } from './names.js';
import { lastMessage } from './observe.js';
import type { Write } from './reconciler.js';

/** Who writes. */
export interface Writer {
  readonly nats: Nats;
  readonly host: HostId;
  readonly instance: string;
  readonly epoch: number;
  readonly seq: number;
}

/**
 * Sends it, on the condition that it directly follows the message seen last.
 *
 * @returns Its sequence; `undefined` when it is larger than the server takes.
 * @throws ConflictError when somebody else has written meanwhile; FullError; VminfodError.
 */
export async function writeVm(writer: Writer, write: Write): Promise<number | undefined> {
  const { nats, host, ...mark } = writer;
  const { zonename, after } = write;
  const subject = vmSubject({ ...host, zonename });
  const maxBytes = (nats.connection.info?.max_payload ?? Infinity) - headerBytes;
  const message = encodeMessage(
    zonename,
    { ...mark, ...(await contentOf(writer, write)) },
    write.wanted?.hash,
    maxBytes,
  );
  if (message.body.length > maxBytes) return undefined;
  try {
    const ack = await nats.jetstream.publish(subject, message.body, {
      msgID: message.id,
      headers: headersOf(message),
      expect: { lastSubjectSequence: after },
      timeout: limits.ackTimeoutMs,
    });
    // Ids are used only once: a different message with our id is not ours.
    if (ack.duplicate) throw new ConflictError(subject);
    return ack.seq;
  } catch (error) {
    throw asFleetError(error, subject);
  }
}

/** What a message is about, apart from who sends it. */
type Content = Pick<VmMessage, 'type' | 'at' | 'vm' | 'changes' | 'coalesced'>;

async function contentOf({ nats, host }: Writer, write: Write): Promise<Content> {
  const { zonename, wanted, at, after, coalesced } = write;
  const common = { at, ...(coalesced > 0 && { coalesced }) };
  if (wanted === undefined) return { ...common, type: 'delete' };
  const { vm } = wanted;
  if (write.previous === undefined) return { ...common, type: 'create', vm };
  if (write.previous !== 'unknown')
    return { ...common, type: 'modify', vm, changes: diff(write.previous, vm) };
  const last = await lastMessage(nats, { ...host, zonename });
  if (last?.vm === undefined || last.revision !== after)
    throw new ConflictError(vmSubject({ ...host, zonename }));
  return { ...common, type: 'modify', vm, changes: diff(last.vm, vm) };
}

/** The maximum size of our headers and NATS's in a message. */
const headerBytes = 1_024;

function headersOf(message: EncodedMessage): ReturnType<typeof headers> {
  const all = headers();
  for (const [name, value] of Object.entries(message.headers)) all.set(name, value);
  return all;
}
