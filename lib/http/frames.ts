/**
 * How lines go over the wire: as JSON lines, or as Server-Sent Events with an `id` to resume from; in HTTP chunks, made
 * once for all who get the same bytes. Pure.
 */
import { listeners as limits } from '../config.js';
import { lengthOf } from '../vm/vm-bytes.js';

/** `json`: a JSON object a line. `sse`: text/event-stream, for a browser's EventSource. */
export type Format = 'json' | 'sse';

/** Bytes for many listeners, in parts: `chunk` is `body` framed in HTTP's chunked encoding. */
export interface Frame {
  readonly body: readonly Buffer[];
  readonly chunk: readonly Buffer[];
  /** Of `chunk`, in bytes. */
  readonly length: number;
}

/** A line, in parts, from the parts of its JSON. `id` is the position after it, `<instance>:<seq>`. */
export function lineOf(format: Format, id: string, json: readonly Buffer[]): readonly Buffer[] {
  return format === 'json' ? [...json, newline] : [Buffer.from(`id: ${id}\ndata: `), ...json, emptyLine];
}

/** Precedes the first line: tells browsers to reconnect soon, but not all at the same time. */
export function preamble(format: Format, random = Math.random()): readonly Buffer[] {
  const { browserRetryMs } = limits;
  return format === 'json' ? [] : [Buffer.from(`retry: ${Math.round(browserRetryMs * (1 + random))}\n`)];
}

/** The frame of some lines. There must be at least one: an empty chunk ends an answer. */
export function frameOf(lines: readonly Buffer[]): Frame {
  const body = withSmallJoined(lines);
  const start = Buffer.from(`${lengthOf(body).toString(16)}\r\n`);
  const chunk = body.length === 1 ? [Buffer.concat([start, ...body, chunkEnd])] : [start, ...body, chunkEnd];
  return { chunk, body, length: lengthOf(chunk) };
}

/** Big parts stay as they are, as copying megabytes takes long; of small ones that stand together one is made. */
function withSmallJoined(parts: readonly Buffer[]): readonly Buffer[] {
  const joined: Buffer[] = [];
  let small: Buffer[] = [];
  const join = () => {
    joined.push(...(small.length > 1 ? [Buffer.concat(small)] : small));
    small = [];
  };
  for (const part of parts) {
    if (part.length < limits.sharedPartBytes) {
      small.push(part);
      continue;
    }
    join();
    joined.push(part);
  }
  join();
  return joined;
}

const newline = Buffer.from('\n');
const emptyLine = Buffer.from('\n\n');
const chunkEnd = Buffer.from('\r\n');
