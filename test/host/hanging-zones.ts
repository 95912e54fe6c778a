/** Zones of a temporary host with a file each, some of them on file systems that can hang. */
import { filter, firstValueFrom } from 'rxjs';
import type { Test } from 'tap';
import type { FileEvent, Files, TextReading } from '../../lib/host/files.js';
import { hangingDirectory, type HangingDirectory } from '../bindfs.js';
import { eventually } from '../daemon/harness.js';
import { temporaryHost, type TemporaryHost } from './temporary-host.js';

export interface HangingZones {
  readonly host: TemporaryHost;
  readonly files: Files;
  readonly events: readonly FileEvent[];
  readonly directories: readonly HangingDirectory[];
  readonly path: (zonename: string) => string;
  readonly watch: (zonename: string) => void;
  readonly read: (zonename: string) => Promise<TextReading | undefined>;
  /** Resolves when a change of the zone's file, made by `act`, is reported. */
  readonly told: (zonename: string, act: () => Promise<unknown>, type?: 'changed' | 'stale') => Promise<void>;
  readonly hung: () => string[];
}

/** Zones with a file each. The first `hanging` are on file systems that can hang. */
export async function zones(t: Test, count: number, hanging: number): Promise<HangingZones> {
  const ending = new AbortController();
  const host = await temporaryHost(t, { signal: ending.signal });
  const { files } = host;
  const names = Array.from({ length: count }, (_, index) => `z${index}`);
  const directories: HangingDirectory[] = [];
  for (const name of names) {
    await host.write(`/zones/${name}/tags.json`, name);
    if (directories.length < hanging) directories.push(await hangingDirectory(host.path(`/zones/${name}`)));
  }
  const events: FileEvent[] = [];
  files.events.subscribe((event) => events.push(event));
  const path = (zonename: string) => host.path(`/zones/${zonename}/tags.json`);
  // Threads alone do not keep a process alive.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(async () => {
    for (const directory of directories) await directory.remove();
    ending.abort();
    await eventually(() => files.status().threads === 0, 'every thread has ended');
    clearInterval(alive);
  });
  const watch = (zonename: string) => {
    files.watch(zonename, () => [{ name: 'tags', path: path(zonename), top: host.path('/zones') }]);
  };
  for (const name of names) watch(name);
  return {
    host,
    files,
    events,
    directories,
    path,
    watch,
    read: async (zonename) => (await files.read(zonename, [{ name: 'tags', path: path(zonename) }]))[0],
    told: async (zonename, act, type = 'changed') => {
      const isTold = firstValueFrom(
        files.events.pipe(filter((event) => event.type === type && event.zonename === zonename)),
      );
      await act();
      await isTold;
    },
    hung: () => files.status().hung.map(({ zonename }) => zonename),
  };
}
