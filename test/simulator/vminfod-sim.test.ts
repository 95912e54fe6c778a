/**
 * vminfod-sim, as it is typed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import tap from 'tap';
import { simulatorProgram } from '../../lib/simulator/cli/program.js';
import { attrOf, createSimulatedHost } from '../../lib/simulator/index.js';
import { posted } from './posted.js';
import { run } from './run.js';

const program = fileURLToPath(new URL('../../sbin/vminfod-sim.js', import.meta.url));

void tap.test('work on a tree', async (t) => {
  const host = await createSimulatedHost({ vms: 2 });
  t.teardown(() => host.remove());
  const [first = ''] = host.zonenames();
  const sim = async (...args: string[]): Promise<string> => {
    const lines: string[] = [];
    const program = simulatorProgram({ VMINFOD_SIM_ROOT: host.root }, (line) => lines.push(line));
    await program.parseAsync(args, { from: 'user' });
    return lines.join('\n');
  };

  t.equal((await sim('list')).split('\n').length, 2);
  await sim('set', first, 'alias=www', 'zone.cpu-shares=42');
  t.equal(attrOf(host.zone(first).config, 'alias'), 'www');
  t.match(readFileSync(host.xmlFile(first), 'utf8'), 'limit="42"');
  await t.rejects(sim('set', first, 'cpu_shares=123'), {
    message: 'cpu_shares: is a limit in the zone XML: set zone.cpu-shares=…',
  });
  await sim('tag', 'www', 'tier=3', 'role=');
  const tags = JSON.parse(readFileSync(host.configFile(first, 'tags'), 'utf8')) as Record<string, unknown>;
  t.equal(tags['tier'], 3);
  t.notOk('role' in tags);
  await sim('metadata', 'www', '--internal', 'secret=x');
  t.match(readFileSync(host.configFile(first, 'metadata'), 'utf8'), '"secret": "x"');
  await sim('stop', 'www', '--wait-status', '9');
  t.match(readFileSync(host.lastExitedFile(first), 'utf8'), / 9\n$/);

  const created = await sim('create', '--brand', 'lx', '--no-boot');
  t.equal(host.zone(created).state, 'installed');
  await sim('destroy', created);
  t.notOk(host.zonenames().includes(created));

  await sim('zfs', 'snapshot', '-r', `zones/${first}@s`);
  t.ok(host.dataset(`zones/${first}`)?.snapshots.some(({ name }) => name === 's'));

  t.strictSame(await run(host, 'zfs', 'set', 'quota=3g', `zones/${first}`), {
    stdout: '',
    stderr: '',
    exitCode: 0,
  });
  t.equal(
    host.dataset(`zones/${first}`)?.properties['quota'],
    3 * 2 ** 30,
    'the zfs of the host does all that vminfod-sim does',
  );
  t.match(await run(host, 'zfs', 'set', 'quota=3g', 'zones/none'), {
    exitCode: 1,
    stderr: /dataset does not exist/,
  });
  t.match(await run(host, 'zfs', 'explode'), { exitCode: 2, stderr: /unrecognized command 'explode'/ });

  const before = posted(host, 'zfs').length;
  await sim('burst', '--count', '10');
  t.equal(posted(host, 'zfs').length, before + 10);
  await sim('drop-events', 'on');
  await sim('zfs', 'set', 'quota=1g', `zones/${first}`);
  t.equal(posted(host, 'zfs').length, before + 10);

  await sim('fault', 'zfs', '--exit', '7');
  t.equal((await run(host, 'zfs', 'list', '-H', '-o', 'name')).exitCode, 7);
  await sim('fault', 'clear');
  t.equal((await run(host, 'zfs', 'list', '-H', '-o', 'name')).exitCode, 0);
});

void tap.test('what is printed where, and the exit code', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'vminfod-sim-'));
  t.teardown(() => {
    rmSync(directory, { recursive: true });
  });
  const root = join(directory, 'gz');
  const cases: readonly [args: string[], out: string, err: string | RegExp, code: number][] = [
    [['make', root, '--vms', '1'], root, '', 0],
    [['zfs', 'list', '-H', '-o', 'name', 'nope'], '', "cannot open 'nope': dataset does not exist", 1],
    [['zfs', 'destroy', 'nope'], '', "cannot open 'nope': dataset does not exist", 1],
    [['start', 'nope'], '', 'vminfod-sim: nope: No such zone configured', 1],
  ];
  for (const [args, out, err, code] of cases) {
    const result = await execa(process.execPath, [program, ...args], {
      env: { VMINFOD_SIM_ROOT: root },
      reject: false,
    });
    t.equal(result.stdout, out, args.join(' '));
    t.match(result.stderr, err);
    t.equal(result.exitCode, code);
  }
});

void tap.test('help names every command; no root is a usage error', async (t) => {
  const env = { VMINFOD_SIM_ROOT: undefined };
  const { stdout } = await execa(process.execPath, [program, '--help'], { env });
  for (const name of [
    'make',
    'list',
    'create',
    'destroy',
    'start',
    'stop',
    'reboot',
    'set',
    'tag',
    'metadata',
    'routes',
  ]) {
    t.match(stdout, new RegExp(`^  ${name} `, 'm'));
  }
  for (const name of ['sysinfo', 'zfs', 'fault', 'drop-events', 'burst'])
    t.match(stdout, new RegExp(`^  ${name} `, 'm'));
  const without = await execa(process.execPath, [program, 'list'], { env, reject: false });
  t.equal(without.exitCode, 1);
  t.match(without.stderr, '--root DIR');
});

void tap.test('make without a directory keeps a tree until Ctrl-C', async (t) => {
  const child = execa(process.execPath, [program, 'make', '--vms', '3', '--activity', '5'], {
    reject: false,
  });
  const [root] = (await once(createInterface(child.stdout), 'line')) as [string];
  t.ok(existsSync(join(root, 'etc/zones/index')));
  child.kill('SIGINT');
  t.equal((await child).exitCode, 0);
  t.notOk(existsSync(root));
});
