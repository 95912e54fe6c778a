/**
 * How lines go over the wire: as JSON lines, or as Server-Sent Events with an `id` to resume from; in HTTP chunks, made
 * once for all who get the same bytes. Pure.
 */
import { listeners as limits } from '../config.js';

/** `json`: a JSON object a line. `sse`: text/event-stream, for a browser's EventSource. */
export type Format = 'json' | 'sse';

/** Bytes for many listeners: `chunk` is `body` framed in HTTP's chunked encoding. */
export interface Frame {
  readonly body: Buffer;
  readonly chunk: Buffer;
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
  const length = lines.reduce((sum, line) => sum + line.length, 0);
  const start = Buffer.from(`${length.toString(16)}\r\n`);
  const chunk = Buffer.concat([start, ...lines, chunkEnd]);
  return { chunk, body: chunk.subarray(start.length, start.length + length) };
}

const newline = Buffer.from('\n');
const emptyLine = Buffer.from('\n\n');
const chunkEnd = Buffer.from('\r\n');
