/**
 * What goes wrong on a host: events lost, children killed or stopped, commands slow, stuck, broken or gone, files
 * unreadable. Each kind is injected by one function, which returns how to end it.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WatchSource } from '../../lib/host/file-messages.js';
import {
  historyLine,
  zoneStatusLine,
  type Channel,
  type Fault,
  type Random,
  type SimulatedCommand,
  type SimulatedHost,
} from '../../lib/simulator/index.js';
import { faultyWatch } from '../host/faulty-watch.js';
import { killDescendants, killHanging, signal } from '../processes.js';
import { moveAway } from './scene.js';
import type { Trail } from './trail.js';

/** Ends a fault. */
export type Undo = () => void | Promise<void>;

/** The faults of one host. */
export interface Faults {
  /** The kinds there are. */
  readonly kinds: readonly string[];
  /** Makes a fault. Its end is the caller's to call. */
  inject(kind: string): Promise<Undo>;
  /** For the daemon, instead of fs.watch. */
  readonly watch: WatchSource;
  /** Mends what faults left behind: files that cannot be parsed. */
  repair(): Promise<void>;
}

export interface FaultsOptions {
  readonly host: SimulatedHost;
  readonly random: Random;
  readonly trail: Trail;
  /** May be deleted and created anew from now on. */
  readonly onVanished: (zonename: string) => void;
}

type Inject = () => Promise<Undo | undefined> | Undo | undefined;

const channels: readonly Channel[] = ['zones', 'zfs'];

/** Sets up what can go wrong. */
export function createFaults({ host, random, trail, onVanished }: FaultsOptions): Faults {
  const broken = new Map<SimulatedCommand, Set<Fault>>();
  const watch = faultyWatch();
  const fileEvents = { dropped: 0, refused: 0 };
  const sysinfo = host.path('/tmp/.sysinfo.json');
  const goodSysinfo = readFileSync(sysinfo, 'utf8');

  const renew = (command: SimulatedCommand) => {
    host.clearFaults(command);
    for (const fault of broken.get(command) ?? []) host.setFault(command, fault);
  };
  const breakCommand = (command: SimulatedCommand, fault: Fault): Undo => {
    const faults = broken.get(command) ?? new Set();
    broken.set(command, faults.add(fault));
    renew(command);
    return async () => {
      faults.delete(fault);
      renew(command);
      // What hangs by then would do so for ever.
      if (fault.hang === true || fault.noReady === true) await killHanging();
    };
  };
  const killSysevents = (channel?: Channel) => {
    for (const pid of host.syseventPids(channel)) signal(pid, 'SIGKILL');
  };
  /** A sysevent that starts while this fault lasts is broken; so one has to start. */
  const breakSysevents = (fault: Fault): Undo => {
    const undo = breakCommand('sysevent', fault);
    killSysevents(random.pick([...channels, undefined]));
    return undo;
  };
  const corrupt = (path: string, text: string): Undo | undefined => {
    if (!existsSync(path) || statSync(path).isDirectory()) return undefined;
    trail.note(`  breaks ${path}`);
    const restore = host.corrupt(path, text);
    return () => {
      // Whoever has written it since has mended it.
      if (existsSync(path) && readFileSync(path, 'utf8') === text) restore();
    };
  };
  const zonename = () => random.pick(host.zonenames());
  const config = () => host.configFile(zonename(), random.pick(['metadata', 'tags', 'routes']));
  const half = (path: string) => {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return text.slice(0, random.integer(0, Math.max(1, text.length - 3)));
  };

  const commandFaults = (['zoneadm', 'zfs', 'kstat'] as const).flatMap((command) =>
    (
      [
        ['slow', () => ({ delayMs: random.integer(50, 1_000) })],
        ['hangs', () => ({ hang: true, full: random.chance(0.5) })],
        ['fails', () => ({ exitCode: 1, stderr: `${command}: something is wrong` })],
        ['truncated', () => ({ truncateBytes: random.integer(0, 4_000) })],
        [
          'prints garbage',
          () => ({ stdout: random.pick(['', 'garbage', 'a:b\tc', '{']), stderr: 'garbage' }),
        ],
        ['missing', () => ({ missing: true })],
      ] as const
    ).map(([what, fault]): [string, Inject] => [`${command} ${what}`, () => breakCommand(command, fault())]),
  );

  const kinds = new Map<string, Inject>([
    ...commandFaults,
    ...channels.flatMap((channel): [string, Inject][] => [
      [
        `${channel} events dropped`,
        () => {
          host.dropEvents({ [channel]: true });
          return () => {
            host.dropEvents({ [channel]: false });
          };
        },
      ],
      [
        `${channel} sysevent killed`,
        () => {
          killSysevents(channel);
          return undefined;
        },
      ],
      [
        `${channel} sysevent stopped`,
        () => {
          const pids = host.syseventPids(channel);
          for (const pid of pids) signal(pid, 'SIGSTOP');
          return () => {
            for (const pid of pids) signal(pid, 'SIGCONT');
          };
        },
      ],
      [
        `${channel} garbage`,
        () => {
          const garbage = ['garbage', '{', '[]', '{"type":"event"}', '\u0000\u0001', 'x'.repeat(300_000)];
          host.postEvents(channel, [random.pick(garbage)]);
          return undefined;
        },
      ],
    ]),
    [
      'events without data',
      () => {
        host.postEvents('zones', ['{"type":"event","class":"status","subclass":"ping"}']);
        host.postEvents('zfs', ['{"type":"event","class":"EC_zfs","subclass":"ESC_ZFS_history_event"}']);
        return undefined;
      },
    ],
    [
      'spurious events',
      () => {
        const state = { publisher: 'kernel', oldstate: 'ready', zoneid: 7 } as const;
        const zones = Array.from({ length: 20 }, (_, index) => (index % 2 ? zonename() : `no-zone-${index}`));
        host.postEvents(
          'zones',
          zones.map((each) =>
            zoneStatusLine({
              ...state,
              zonename: each,
              newstate: random.pick(['running', 'free', 'installed']),
            }),
          ),
        );
        host.postEvents(
          'zfs',
          zones.map((each) => historyLine({ name: 'set', dataset: `zones/${each}`, detail: 'x=y', txg: 1 })),
        );
        return undefined;
      },
    ],
    ['sysevent writes to stderr', () => breakSysevents({ stderr: 'sysevent: something is wrong' })],
    ['sysevent never ready', () => breakSysevents({ noReady: true })],
    ['sysevent ends at once', () => breakSysevents({ exitCode: random.pick([0, 1]) })],
    ['sysevent missing', () => breakSysevents({ missing: true })],
    [
      'file events dropped',
      () => {
        watch.drop(++fileEvents.dropped > 0);
        return () => {
          watch.drop(--fileEvents.dropped > 0);
        };
      },
    ],
    [
      'file watches refused',
      () => {
        watch.refuse(++fileEvents.refused > 0 ? 'ENOSPC' : undefined);
        return () => {
          watch.refuse(--fileEvents.refused > 0 ? 'ENOSPC' : undefined);
        };
      },
    ],
    [
      'commands killed',
      async () => {
        const count = await killDescendants(
          (args) => !args.includes('sysevent') && !args.startsWith('tail '),
        );
        trail.note(`  ${count} killed`);
        return undefined;
      },
    ],
    ['zone XML truncated', () => corruptXml((path) => half(path))],
    [
      'zone XML broken',
      () => corruptXml(() => random.pick(['', '<zone', '<zone name="x"/>', '\u0000\u0001\u0002'])),
    ],
    [
      'zone XML away',
      () => {
        const name = zonename();
        const path = host.xmlFile(name);
        if (!existsSync(path)) return undefined;
        onVanished(name);
        const putBack = moveAway(host, random, path);
        return () => {
          putBack();
          if (!host.zonenames().includes(name)) rmSync(path, { force: true }); // it went with its zone
        };
      },
    ],
    [
      'JSON truncated',
      () => {
        const path = config();
        return corrupt(path, half(path));
      },
    ],
    ['JSON broken', () => corrupt(config(), random.pick(['', 'null', '[]', '"text"', '{"a":', '\u0000']))],
    ['lastexited empty', () => corrupt(host.lastExitedFile(zonename()), '')],
    [
      'lastexited broken',
      () => corrupt(host.lastExitedFile(zonename()), random.pick(['x', '1.5', 'a b', '5.5 x'])),
    ],
    ['sysinfo broken', () => corrupt(sysinfo, random.pick(['', '{', '[]']))],
    ['sysinfo missing', () => (existsSync(sysinfo) ? moveAway(host, random, sysinfo) : undefined)],
    [
      'config directory away',
      () => {
        const path = join(host.path(host.zone(zonename()).zonepath), 'config');
        return existsSync(path) ? moveAway(host, random, path) : undefined;
      },
    ],
  ]);

  function corruptXml(text: (path: string) => string): Undo | undefined {
    const path = host.xmlFile(zonename());
    return corrupt(path, text(path));
  }

  return {
    kinds: [...kinds.keys()],
    inject: async (kind) => {
      trail.fault(kind, '');
      const undo = await kinds.get(kind)?.();
      return async () => {
        await undo?.();
        if (undo !== undefined) trail.note(`fault ${kind} ends`);
      };
    },
    watch: watch.source,
    repair: async () => {
      // What was written while a file was broken, or comes back by a rollback to a snapshot of that time, is still broken.
      if (!isJsonObject(readFileSync(sysinfo, 'utf8'))) writeFileSync(sysinfo, goodSysinfo);
      for (const name of host.zonenames()) {
        await host.rewriteXml(name);
        for (const file of ['metadata', 'tags', 'routes'] as const) {
          const path = host.configFile(name, file);
          if (existsSync(path) && !isJsonObject(readFileSync(path, 'utf8'))) writeFileSync(path, '{}\n');
        }
      }
    },
  };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
