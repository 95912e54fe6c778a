/**
 * The message of a VM: its current state, and how it differs from the VM's previous message. Anything that is not one of
 * ours, such as an acknowledgement sent to a VM's subject, is never read as a VM. Pure.
 */
import { createHash } from 'node:crypto';
import type { Change } from '../vm/diff.js';
import { canonical } from '../vm/equal.js';
import { asJson } from '../vm/json.js';
import type { VmObject } from '../vm/vm-object.js';
import { headerNames, parseVmSubject, type VmKey } from './names.js';

/** What a publisher says about a VM. */
export interface VmMessage {
  readonly type: 'create' | 'modify' | 'delete';
  /** When the host saw it; ISO. */
  readonly at: string;
  /** A UUID for each start of a publisher: `seq` counts its messages. */
  readonly instance: string;
  readonly seq: number;
  /** Grows with each publisher that takes over the host. */
  readonly epoch: number;
  /** The redacted VM; absent when it is gone. */
  readonly vm?: VmObject;
  /** For a modify: the changes since the previous message. Absent when they would not fit into a message. */
  readonly changes?: readonly Change[];
  /** How many states between the previous message and this one were never sent. */
  readonly coalesced?: number;
}

/** A message to be written to the stream. */
export interface EncodedMessage {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A message read from the stream. */
export interface StoredMessage extends VmMessage {
  readonly key: VmKey;
  /** Its sequence in the stream. */
  readonly revision: number;
  /** That of the VM's message before it. */
  readonly after: number;
  /** Its id: two messages with the same id are the same. */
  readonly id: string;
  readonly hash: string | undefined;
}

/** The headers of a stored message; a delete marker has nothing else. */
export interface StoredHeaders {
  readonly key: VmKey;
  readonly revision: number;
  readonly after: number;
  readonly id: string;
  /** `undefined`: the VM is gone. */
  readonly hash: string | undefined;
  readonly epoch: number;
}

/** What the codec needs of a message, however it was read. */
export interface RawMessage {
  readonly subject: string;
  readonly revision: number;
  /** A header's value; empty when there is none. */
  header(name: string): string;
  readonly data: Uint8Array;
}

/** Equal for equal VMs, whatever the order of their keys. */
export function hashOf(vm: VmObject): string {
  return createHash('sha256')
    .update(canonical(asJson(vm)))
    .digest('hex')
    .slice(0, 32);
}

/** One hash over all VMs of a host, by zonename. Equal for equal sets. */
export function digestOf(hashes: Iterable<readonly [zonename: string, hash: string]>): string {
  const lines = [...hashes].map(([zonename, hash]) => `${zonename} ${hash}\n`).sort();
  return createHash('sha256').update(lines.join('')).digest('hex').slice(0, 32);
}

/** @param maxBytes Of the body; one that is larger is sent without its changes. */
export function encodeMessage(
  zonename: string,
  { vm, changes, ...message }: VmMessage,
  hash: string | undefined,
  maxBytes = Infinity,
): EncodedMessage {
  const { at, epoch, instance, seq } = message;
  const common = { [headerNames.epoch]: String(epoch), [headerNames.at]: at };
  const id = `${instance}:${seq}:${zonename}`;
  if (vm === undefined) {
    return { id, headers: { ...common, [headerNames.operation]: 'DEL' }, body: new Uint8Array() };
  }
  const headers = { ...common, ...(hash !== undefined && { [headerNames.hash]: hash }) };
  const whole = Buffer.from(JSON.stringify({ ...message, vm, changes }));
  const body = whole.length <= maxBytes ? whole : Buffer.from(JSON.stringify({ ...message, vm }));
  return { id, headers, body };
}

/** The headers of one of our messages; `undefined` for anything else. */
export function decodeHeaders(raw: RawMessage): StoredHeaders | undefined {
  const key = parseVmSubject(raw.subject);
  const id = raw.header(headerNames.messageId);
  const epoch = Number(raw.header(headerNames.epoch));
  const isGone = raw.header(headerNames.operation) !== '';
  const hash = raw.header(headerNames.hash) || undefined;
  // NATS lets anyone have a reply sent to any subject, so even a stored message to another host's VM. Such replies are
  // marked.
  if (raw.header(headerNames.answerOf) !== '') return undefined;
  if (
    key === undefined ||
    !id.endsWith(`:${key.zonename}`) ||
    !(epoch > 0) ||
    isGone === (hash !== undefined)
  ) {
    return undefined;
  }
  return { key, id, epoch, revision: raw.revision, after: Number(raw.header(headerNames.after)), hash };
}

/** One of our messages; `undefined` for anything else. */
export function decodeMessage(raw: RawMessage): StoredMessage | undefined {
  const head = decodeHeaders(raw);
  if (head === undefined) return undefined;
  if (head.hash === undefined) {
    const [instance = '', seq] = head.id.split(':');
    return { ...head, type: 'delete', at: raw.header(headerNames.at), instance, seq: Number(seq) };
  }
  const body = parse(raw.data);
  return body?.vm?.zonename === head.key.zonename ? { ...body, ...head } : undefined;
}

function parse(data: Uint8Array): VmMessage | undefined {
  try {
    return JSON.parse(Buffer.from(data).toString()) as VmMessage;
  } catch {
    return undefined; // Not one of ours, whatever its headers say.
  }
}
