/** A command gives the same by a waiting shell as when it is started directly. */
import { execa } from 'execa';
import tap from 'tap';
import { runCommand, type CommandResult } from '../../lib/host/command.js';
import { createShells } from '../../lib/host/shells.js';
import { datasetFields } from '../../lib/host/zfs-parse.js';
import { createSimulatedHost } from '../../lib/simulator/index.js';
import { temporaryHost } from './temporary-host.js';

const anyResult = { timeoutMs: 30_000, maxBytes: 2 ** 24, accepts: () => true };

async function directly(path: string, args: readonly string[]): Promise<CommandResult> {
  const { stdout, stderr, exitCode } = await execa(path, args, {
    stdin: 'ignore',
    reject: false,
    stripFinalNewline: false,
    extendEnv: false,
    env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
  });
  return { stdout, stderr, exitCode: exitCode ?? -1 };
}

void tap.test('what the daemon runs', async (t) => {
  const host = await createSimulatedHost({ vms: 12 });
  t.teardown(() => host.remove());
  const ending = new AbortController();
  t.teardown(() => {
    ending.abort();
  });
  const shells = createShells(ending.signal);
  const zonename = host.zonenames().find((name) => host.zone(name).state === 'running') ?? '';
  const { zoneid, zonepath } = host.zone(zonename);
  const zfsList = ['list', '-H', '-p', '-t', 'filesystem,snapshot,volume', '-o', datasetFields.join(',')];
  const kstat = ['-j', '-m', 'zones', '-c', 'zone_misc'];

  const commands: readonly (readonly [path: string, args: readonly string[], exitCode: number])[] = [
    ['/usr/sbin/zoneadm', ['list', '-p', '-c'], 0],
    ['/usr/sbin/zoneadm', ['-z', zonename, 'list', '-p'], 0],
    ['/usr/sbin/zoneadm', ['-z', 'nothing', 'list', '-p'], 1],
    ['/usr/bin/kstat', kstat, 0],
    ['/usr/bin/kstat', [...kstat, '-i', String(zoneid)], 0],
    ['/usr/bin/kstat', [...kstat, '-i', '9999'], 1],
    ['/usr/sbin/zfs', [...zfsList, '-d', '2'], 0],
    ['/usr/sbin/zfs', [...zfsList, '-d', '1', zonepath.slice(1)], 0],
    ['/usr/sbin/zfs', [...zfsList, '-d', '1', zonepath.slice(1), 'zones/nothing'], 1],
    ['/usr/sbin/zfs', [...zfsList, '-d', '1', 'no such name'], 1],
  ];
  for (const [command, args, exitCode] of commands) {
    const path = host.path(command);
    const direct = await directly(path, args);
    t.same(await runCommand(shells, path, args, anyResult), direct, [command, ...args].join(' '));
    t.equal(direct.exitCode, exitCode);
    t.ok(direct.stdout + direct.stderr, 'there is something to compare');
  }
});

void tap.test('what commands may do', async (t) => {
  const host = await temporaryHost(t);
  const bodies: Readonly<Record<string, string>> = {
    nothing: ':',
    'no newline at the end': 'printf text; printf problem >&2',
    'an exit code': 'echo text; exit 255',
    'bytes of all kinds': String.raw`printf '\000\001é\377\r\n\t'`,
    'both outputs, a lot': 'i=0; while [ $i -lt 300 ]; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); done',
    'reading stdin': 'cat; echo over',
    'its environment': '[ "$LC_ALL" = C ] && [ -z "$HOME" ] && [ -n "$PATH" ] && echo as it should be',
    arguments: 'printf "%s|" "$@"',
  };
  for (const [name, body] of Object.entries(bodies)) {
    await host.script('/command', body);
    const path = host.path('/command');
    const args = ['', ' a  b', "it's", '$HOME `id`', '\\', '*', 'two\nlines\n'];
    t.same(await host.run('/command', args, anyResult), await directly(path, args), name);
  }
});
