/** Baselines: a bare server in a process of its own, a bare command, a bare reader of events, a bare file watch. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Shell } from '../../lib/host/shell.js';
import { datasetFields } from '../../lib/host/zfs-parse.js';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import type { BareRequest } from './bare-server.js';
import { fileOf } from './daemon-process.js';

export interface BareServer {
  readonly httpPort: number;
  readonly tcpPort: number;
  serve(answers: Extract<BareRequest, { type: 'serve' }>['answers']): Promise<void>;
  /** Writes that many bytes to every TCP connection. */
  broadcast(bytes: number): void;
  stop(): Promise<void>;
}

/** Starts a bare server. */
export async function startBareServer(): Promise<BareServer> {
  const child = fork(fileOf('./bare-server.js'));
  const [ports] = (await once(child, 'message')) as [Pick<BareServer, 'httpPort' | 'tcpPort'>];
  return {
    ...ports,
    serve: async (answers) => {
      child.send({ type: 'serve', answers } satisfies BareRequest);
      await once(child, 'message');
    },
    broadcast: (bytes) => {
      child.send({ type: 'broadcast', bytes } satisfies BareRequest);
    },
    stop: async () => {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}

export interface BareCommands {
  /** How long `zfs list` of one dataset takes, ms. */
  zfsListMs(dataset: string): Promise<number>;
  /** The same, without what is in the dataset: its row. */
  zfsRowMs(dataset: string): Promise<number>;
  /** How long `zoneadm list` of one zone takes, ms. */
  zoneadmMs(zonename: string): Promise<number>;
  /** How long `kstat` of one zone takes, ms. */
  kstatMs(zoneid: number): Promise<number>;
  close(): void;
}

/** The commands as a waiting shell runs them: to start one from this large process would take longer than it runs. */
export function openBareCommands(host: SimulatedHost): BareCommands {
  const shell = new Shell();
  const timeOf = async (command: string, args: readonly string[], accepted = [0]) => {
    const at = performance.now();
    const { status } = await shell.run(host.path(command), args, 2 ** 20);
    if (!accepted.includes(status)) throw new Error(`${command} exited with ${status}`);
    return performance.now() - at;
  };
  const list = ['list', '-H', '-p', '-t', 'filesystem,snapshot,volume', '-o', datasetFields.join(',')];
  return {
    zfsListMs: (dataset) => timeOf('/usr/sbin/zfs', [...list, '-d', '1', dataset]),
    zfsRowMs: (dataset) => timeOf('/usr/sbin/zfs', [...list, dataset]),
    zoneadmMs: (zonename) => timeOf('/usr/sbin/zoneadm', ['-z', zonename, 'list', '-p']),
    kstatMs: (zoneid) =>
      // 1: a zone that was restarted has another number, which takes as long to find out.
      timeOf('/usr/bin/kstat', ['-j', '-m', 'zones', '-c', 'zone_misc', '-i', String(zoneid)], [0, 1]),
    close: () => {
      shell.kill();
    },
  };
}

export interface BareSysevent {
  /** How long a posted line takes to be here, ms. */
  transitMs(): Promise<number>;
  close(): Promise<void>;
}

/** A `sysevent` of ours. */
export async function openBareSysevent(host: SimulatedHost): Promise<BareSysevent> {
  const child = spawn(host.path('/usr/sbin/sysevent'), ['-rj', 'EC_zfs', 'ESC_ZFS_history_event'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    transitMs: async () => {
      const here = once(child.stdout, 'data');
      const at = performance.now();
      // A pool-wide event, which the daemon skips.
      host.postEvents('zfs', [
        '{"type":"event","class":"EC_zfs","subclass":"ESC_ZFS_history_event","data":{}}',
      ]);
      await here;
      return performance.now() - at;
    },
    close: async () => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}

export interface BareWatch {
  /** How long a replacement of the file takes to be noticed and read, ms. */
  noticeMs(): Promise<number>;
  close(): void;
}

/** A file with that text, which we watch. */
export function openBareWatch(text: string): BareWatch {
  const directory = mkdtempSync(join(tmpdir(), 'vminfod-bench-'));
  const file = join(directory, 'file');
  writeFileSync(file, text);
  const watcher = watch(directory);
  return {
    noticeMs: async () => {
      const temporary = `${file}.new`;
      writeFileSync(temporary, text);
      await new Promise<void>((resolve) => setTimeout(resolve, 5)); // its own events are not to be counted
      const noticed = new Promise<void>((resolve) => {
        const look = (_event: string, name: string | null) => {
          if (name !== 'file') return;
          watcher.off('change', look);
          readFileSync(file);
          resolve();
        };
        watcher.on('change', look);
      });
      const at = performance.now();
      renameSync(temporary, file);
      await noticed;
      return performance.now() - at;
    },
    close: () => {
      watcher.close();
      rmSync(directory, { recursive: true });
    },
  };
}
