/**
 * Listeners of one stream, in a process of their own: `node thousand-readers.js <url> <readers> <reconnecting> <last seq>`.
 * All get the same bytes, so one is parsed, and the others are compared with it byte by byte, wherever they resume.
 * Sends its parent `ready` when all are live, `have` with a `seq` that all have, and what it found when that is the last.
 */
import { Agent, get, type ClientRequest } from 'node:http';

const markEvery = 200;
const [url = '', readers = '', reconnecting = '', lastSeq = '', seed = '1'] = process.argv.slice(2);

/** The events as the first reader got them, the `seq` after which a line ends at an offset, and the other way round. */
const reference = Buffer.alloc(64 * 1024 * 1024);
let known = 0;
let parsed = 0;
let seqKnown = 0;
const seqAt = new Map<number, number>([[0, 0]]);

interface Reader {
  /** How much of the reference it has, in whole lines and in all. */
  offset: number;
  lineEnd: number;
  readonly waiting: Buffer[];
  request: ClientRequest | undefined;
  ready: boolean;
  resumes: number;
  marks: number;
  instance: string;
}

let random = Number(seed);
const chance = () => {
  random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
  return random / 2 ** 31;
};

const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
const all: Reader[] = Array.from({ length: Number(readers) }, () => ({
  offset: 0,
  lineEnd: 0,
  waiting: [],
  request: undefined,
  ready: false,
  resumes: 0,
  marks: 0,
  instance: '',
}));
let live = 0;
/** How many readers have so many times `markEvery` events. */
const marks: number[] = [];

for (const [index, reader] of all.entries()) connect(reader, index);

function connect(reader: Reader, index: number): void {
  const since = reader.ready ? `&since=${reader.instance}:${seqAt.get(reader.lineEnd) ?? 'unknown'}` : '';
  reader.offset = reader.lineEnd;
  let head = '';
  let started = false;
  const request = get(`${url}/events?vms=none${since}`, { agent }, (response) => {
    response.on('data', (chunk: Buffer) => {
      if (reader.request !== request) return;
      if (started) {
        take(reader, index, chunk);
        return;
      }
      head += chunk.toString('latin1');
      const end = head.indexOf('\n');
      if (end < 0) return;
      started = true;
      const ready = JSON.parse(head.slice(0, end)) as { instance: string; resumed: boolean };
      if (ready.resumed !== reader.ready) fail(`reader ${index}: resumed ${ready.resumed}`);
      if (!reader.ready && ++live === all.length) process.send?.({ type: 'ready' });
      reader.ready = true;
      reader.instance = ready.instance;
      if (head.length > end + 1) take(reader, index, Buffer.from(head.slice(end + 1), 'latin1'));
    });
    response.on('error', () => undefined);
    response.on('end', () => {
      if (reader.request === request) fail(`reader ${index}: ended at ${reader.offset}`);
    });
  });
  request.on('error', (error) => {
    if (reader.request === request) fail(`reader ${index}: ${error.message}`);
  });
  reader.request = request;
}

function take(reader: Reader, index: number, chunk: Buffer): void {
  if (index === 0) extend(chunk);
  reader.waiting.push(chunk);
  check(reader, index);
  if (index === 0) for (const [other, each] of all.entries()) if (each.waiting.length > 0) check(each, other);
  if (index > 0 && index <= Number(reconnecting) && seqAt.has(reader.lineEnd) && chance() < 0.02) {
    const { request } = reader;
    reader.request = undefined;
    reader.waiting.length = 0;
    reader.resumes++;
    request?.destroy();
    connect(reader, index);
  }
}

/** The first reader's bytes: parsed, and without a gap. */
function extend(chunk: Buffer): void {
  chunk.copy(reference, known);
  known += chunk.length;
  for (
    let end = reference.indexOf(10, parsed);
    end >= 0 && end < known;
    end = reference.indexOf(10, parsed)
  ) {
    const { seq } = JSON.parse(reference.toString('utf8', parsed, end)) as { seq: number };
    if (seq !== seqKnown + 1) fail(`a gap: ${seqKnown} and then ${seq}`);
    seqKnown = seq;
    parsed = end + 1;
    seqAt.set(parsed, seq);
  }
}

/** What a reader got must be what the first one got at the same place. */
function check(reader: Reader, index: number): void {
  for (let chunk = reader.waiting[0]; chunk !== undefined; chunk = reader.waiting[0]) {
    const end = reader.offset + chunk.length;
    if (end > known) return;
    if (reference.compare(chunk, 0, chunk.length, reader.offset, end) !== 0)
      fail(`reader ${index}: other bytes at ${reader.offset}`);
    const newline = chunk.lastIndexOf(10);
    if (newline >= 0) reader.lineEnd = reader.offset + newline + 1;
    reader.offset = end;
    reader.waiting.shift();
    mark(reader, seqAt.get(reader.lineEnd) ?? 0);
  }
}

function mark(reader: Reader, seq: number): void {
  while (seq >= (reader.marks + 1) * markEvery) {
    const count = (marks[++reader.marks] ?? 0) + 1;
    marks[reader.marks] = count;
    if (count < all.length) continue;
    process.send?.({ type: 'have', seq: reader.marks * markEvery });
    if (reader.marks * markEvery >= Number(lastSeq)) finish();
  }
}

function finish(): void {
  const resumes = all.reduce((sum, each) => sum + each.resumes, 0);
  process.send?.({
    type: 'done',
    seq: seqKnown,
    resumes,
    bytes: all.reduce((sum, { offset }) => sum + offset, 0),
  });
  for (const reader of all) {
    const { request } = reader;
    reader.request = undefined;
    request?.destroy();
  }
  process.disconnect();
}

function fail(problem: string): never {
  process.send?.({ type: 'failed', problem });
  process.exit(1);
}
