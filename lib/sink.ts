/**
 * Writes lines to a file descriptor that may be anything: a file on a full disk, a pipe whose reader has stopped or is
 * gone, a terminal whose output is paused. It never throws and never waits. Lines that cannot be written are kept, up to
 * a bound, and retried; lines that do not fit are lost, and counted.
 */
import { constants, fstatSync, openSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { sink as limits } from './config.js';

/** A sink's status. */
export interface SinkStatus {
  /** Lines lost since the start. */
  readonly lostLines: number;
  /** Bytes that are not written yet. */
  readonly unwrittenBytes: number;
  /** Why the last attempt failed; `null` when it did not. */
  readonly error: string | null;
}

export class Sink {
  /** Called with the number of lost lines when there is room again; what it writes takes their place. */
  onRoom: (lostLines: number) => void = () => undefined;
  readonly #fd: number;
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #isWriting = false;
  #retry: NodeJS.Timeout | undefined;
  #lostLines = 0;
  #saidLines = 0;
  #error: string | null = null;
  /** How long writing has been failing. */
  #waitedMs = 0;
  #whenDrained: (() => void)[] = [];
  #whenReturned: (() => void)[] = [];

  /** @param fd Stays open. */
  constructor(fd: number) {
    this.#fd = withoutWaiting(fd);
  }

  get status(): SinkStatus {
    return { lostLines: this.#lostLines, unwrittenBytes: this.#unwrittenBytes, error: this.#error };
  }

  /**
   * Resolves when the write that is under way has returned, or the time is over. False if it has not: it is stuck in a file
   * system that hangs, and `process.exit()` would be, too.
   */
  async returned(timeoutMs: number): Promise<boolean> {
    if (!this.#isWriting) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs, false);
      this.#whenReturned.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** Writes a line, newline included, as soon as that is possible. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    const isLosing = this.#lostLines > this.#saidLines;
    // After a loss, wait for plenty of room: better lose all lines of a period than every other line.
    const maxBytes = isLosing ? limits.maxUnwrittenBytes / 2 : limits.maxUnwrittenBytes;
    if (this.#unwrittenBytes + bytes.length > maxBytes) {
      this.#lostLines++;
      return;
    }
    this.#sayWhatIsLost();
    this.#unwritten.push(bytes);
    this.#unwrittenBytes += bytes.length;
    this.#start();
  }

  /** Resolves when everything is written, or the time is over. True if everything is. */
  async drained(timeoutMs: number): Promise<boolean> {
    if (this.#unwrittenBytes > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#whenDrained.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.#unwrittenBytes === 0;
  }

  #sayWhatIsLost(): void {
    const lost = this.#lostLines - this.#saidLines;
    this.#saidLines = this.#lostLines;
    if (lost > 0) this.onRoom(lost);
  }

  #start(): void {
    if (this.#isWriting || this.#retry !== undefined || this.#unwrittenBytes === 0) return;
    this.#isWriting = true;
    // Lines written in one turn of the event loop go out together.
    setImmediate(() => {
      const bytes = Buffer.concat(this.#unwritten);
      this.#unwritten = [bytes];
      // One write at a time: if a file system hangs, it blocks only one of node's threads.
      write(this.#fd, bytes, 0, Math.min(bytes.length, limits.maxWriteBytes), null, (error, written) => {
        this.#isWriting = false;
        for (const resolve of this.#whenReturned.splice(0)) resolve();
        if (error === null) this.#wrote(written);
        else this.#failed(error);
      });
    });
  }

  #wrote(count: number): void {
    this.#error = null;
    this.#waitedMs = 0;
    const rest = this.#unwritten.shift()?.subarray(count);
    if (rest !== undefined && rest.length > 0) this.#unwritten.unshift(rest);
    this.#unwrittenBytes -= count;
    if (this.#unwrittenBytes === 0) {
      for (const resolve of this.#whenDrained.splice(0)) resolve();
      this.#sayWhatIsLost();
    }
    this.#start();
  }

  #failed({ code, message }: NodeJS.ErrnoException): void {
    const isFull = code === 'EAGAIN';
    const delayMs = isFull ? limits.retryFullMs : limits.retryFailedMs;
    this.#waitedMs += delayMs;
    // A reader may be slow for a moment.
    if (!isFull) this.#error = message;
    else if (this.#waitedMs >= limits.retryFailedMs) this.#error = 'its reader does not read';
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#start();
    }, delayMs);
    // Must not keep the process alive.
    this.#retry.unref();
  }
}

/** Keeps descriptors open and non-blocking, which would end if these sockets were garbage collected. */
const keepers: Socket[] = [];

/**
 * A descriptor of the same thing, on which writes do not block. It is reopened where possible, because setting ours
 * non-blocking would change it for others who share it, such as a shell. Files are left alone: writes to them wait for
 * nobody, and a reopened one would have its own position.
 */
function withoutWaiting(fd: number): number {
  if (fstatSync(fd).isFile()) return fd;
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  for (const path of [`/proc/self/fd/${fd}`, ...(isatty(fd) ? ['/dev/tty'] : [])]) {
    try {
      return openSync(path, flags);
    } catch {
      // A socket, a pipe whose reader is gone, or a system that does not do this.
    }
  }
  try {
    keepers.push(new Socket({ fd, readable: false, writable: true }).unref());
  } catch {
    // What is no pipe or socket either, such as /dev/null, makes nobody wait.
  }
  return fd;
}
