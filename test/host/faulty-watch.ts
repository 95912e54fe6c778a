/**
 * A fs.watch that a file thread uses instead of its own, and that a test can make lose events, refuse watches and break.
 * The file thread loads this module too: what both share is in `data`.
 */
import { EventEmitter } from 'node:events';
import { watch as fsWatch, type FSWatcher } from 'node:fs';
import { BroadcastChannel } from 'node:worker_threads';
import { randomUUID } from 'node:crypto';
import type { WatchSource } from '../../lib/host/file-messages.js';
import type { Watch } from '../../lib/host/watch-set.js';

interface Data {
  readonly shared: SharedArrayBuffer;
  readonly channel: string;
}

/** Why a watch is refused, by its number in shared memory. */
const codes = [undefined, 'ENOSPC', 'EMFILE'] as const;
const drops = 0;
const refusal = 1;
const holds = 2;

/** The faults of a host's watches, from the outside. */
export interface FaultyWatch {
  readonly source: WatchSource;
  /** Whether events are lost from here on. */
  drop(on: boolean): void;
  /** Whether new watches are refused from here on. */
  refuse(code: 'ENOSPC' | 'EMFILE' | undefined): void;
  /** Every open watch reports an error. Resolves when it is done. */
  breakAll(): Promise<void>;
  /** Events are kept from here on, until they are let go. */
  holdBack(): void;
  letGo(): Promise<void>;
}

/** A fs.watch without faults yet. */
export function faultyWatch(): FaultyWatch {
  const data: Data = { shared: new SharedArrayBuffer(12), channel: randomUUID() };
  const numbers = new Int32Array(data.shared);
  const ask = (what: string) =>
    new Promise<void>((resolve) => {
      const channel = new BroadcastChannel(data.channel);
      channel.onmessage = () => {
        channel.close();
        resolve();
      };
      channel.postMessage(what);
    });
  return {
    source: { type: 'module', url: import.meta.url, data },
    drop: (on) => void Atomics.store(numbers, drops, on ? 1 : 0),
    refuse: (code) => void Atomics.store(numbers, refusal, codes.indexOf(code)),
    breakAll: () => ask('break'),
    holdBack: () => void Atomics.store(numbers, holds, 1),
    letGo: () => {
      Atomics.store(numbers, holds, 0);
      return ask('let go');
    },
  };
}

/** A platform whose file watches never fire. */
export function deafWatch(): WatchSource {
  return { type: 'module', url: import.meta.url };
}

/** A platform that reports that something has changed in a directory, but not what, as illumos does. */
export function namelessWatch(): WatchSource {
  return { type: 'module', url: import.meta.url, data: { nameless: true } };
}

/** A platform whose file watches do not tell of files whose names end so. */
export function deafTo(ending: string): WatchSource {
  return { type: 'module', url: import.meta.url, data: { ending } };
}

/** For the file thread. */
export function createWatch(
  data: Data | { readonly ending: string } | { readonly nameless: true } | undefined,
): Watch {
  if (data === undefined) return deaf;
  if ('nameless' in data) {
    return (path, listener) =>
      fsWatch(path, { persistent: false }, (event) => {
        listener(event, null);
      });
  }
  if ('ending' in data) {
    return (path, listener) =>
      fsWatch(path, { persistent: false }, (event, name) => {
        if (![path, name ?? ''].some((each) => each.endsWith(data.ending))) listener(event, name);
      });
  }
  const numbers = new Int32Array(data.shared);
  const open = new Set<FSWatcher>();
  const channel = new BroadcastChannel(data.channel);
  const held: (() => void)[] = [];
  channel.onmessage = ({ data: what }: { readonly data: unknown }) => {
    if (what === 'break') for (const watcher of [...open]) watcher.emit('error', new Error('EIO: it broke'));
    else for (const tell of held.splice(0)) tell();
    channel.postMessage('done');
  };
  return (path, listener) => {
    const code = codes[Atomics.load(numbers, refusal)];
    if (code !== undefined)
      throw Object.assign(new Error(`${code}: no more watches, watch '${path}'`), { code });
    const watcher = fsWatch(path, { persistent: false }, (event, name) => {
      if (Atomics.load(numbers, drops) !== 0) return;
      if (Atomics.load(numbers, holds) === 0) listener(event, name);
      else
        held.push(() => {
          listener(event, name);
        });
    });
    open.add(watcher);
    watcher.on('close', () => open.delete(watcher));
    return watcher;
  };
}

const deaf: Watch = () => {
  const emitter = new EventEmitter();
  return Object.assign(emitter, {
    close: () => undefined,
    ref: () => emitter,
    unref: () => emitter,
  }) as FSWatcher;
};
