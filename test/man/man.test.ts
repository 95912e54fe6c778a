/** The man pages: clean, and with the same flags and commands as the programs. */
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import tap from 'tap';
import { createProgram } from '../../lib/cli/program.js';

const exec = promisify(execFile);
const packageRoot = new URL('../../../', import.meta.url);
const page = (name: string) => fileURLToPath(new URL(`man/man8/${name}.8`, packageRoot));

const hasMandoc = await exec('mandoc', ['-T', 'lint', '/dev/null']).then(
  () => true,
  (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
);

for (const name of ['vminfod', 'vminfo', 'vminfod-publisher', 'vminfo-fleet']) {
  void tap.test(`${name}.8 is clean`, { skip: !hasMandoc && 'mandoc is not installed' }, async (t) => {
    const { stdout } = await exec('mandoc', ['-T', 'lint', '-W', 'warning', page(name)]);
    t.equal(stdout, '');
  });
}

/** The long flags of a man page; with `command`, those in the description of that command. */
function flagsOf(mdoc: string, command?: string): string[] {
  const text =
    command === undefined ? mdoc : (mdoc.split(/^\.It Cm /m).find((part) => part.startsWith(command)) ?? '');
  return sorted([...text.matchAll(/(?:Fl|,) -([a-z][a-z-]*)/g)].map(([, flag]) => `--${flag ?? ''}`));
}

function sorted(flags: readonly string[]): string[] {
  return [...new Set(flags)].sort();
}

function longFlags(command: Command): string[] {
  return sorted(
    command
      .createHelp()
      .visibleOptions(command)
      .map(({ long }) => long ?? ''),
  );
}

const noHost = {
  env: {},
  writeOut: () => undefined,
  writeErr: () => undefined,
  run: () => Promise.resolve(),
};
const program = createProgram(noHost);

void tap.test('vminfo: code, --help and man page have the same commands and flags', async (t) => {
  const mdoc = await readFile(page('vminfo'), 'utf8');
  const [, commands = ''] = mdoc.split(/^\.Sh COMMANDS$/m);
  const names = program.commands.map((command) => command.name());
  t.strictSame(
    sorted([...commands.matchAll(/^\.It Cm ([a-z]+)/gm)].map(([, name]) => name ?? '')),
    sorted([...names, 'help']),
  );

  const synopsis = mdoc.slice(0, mdoc.indexOf('.Sh DESCRIPTION'));
  const [, head = ''] = mdoc.split(/^\.Ss Global options$/m);
  t.strictSame(flagsOf(head.slice(0, head.indexOf('.Sh COMMANDS'))), longFlags(program), 'global');
  t.match(program.helpInformation(), /--url/);

  for (const command of program.commands) {
    const name = command.name();
    const inCode = longFlags(command).filter((flag) => flag !== '--help' && flag !== '--json');
    t.strictSame(flagsOf(commands, name), inCode, name);
    t.match(synopsis, new RegExp(`^\\.Cm ${name}$`, 'm'));
    for (const flag of inCode) t.ok(command.helpInformation().includes(flag), `${name} ${flag}`);
    // Short flags in the synopsis: `-jfr1` and `-t types`.
    const [, usage = ''] =
      new RegExp(`^\\.Cm ${name}$([^]*?)(?=^\\.Nm$|^\\.Sh|$(?![^]))`, 'm').exec(synopsis) ?? [];
    const short = [...usage.matchAll(/^\.Op Fl ([A-Za-z0-9]+)/gm)].flatMap(([, letters = '']) =>
      letters.split(''),
    );
    const shortInCode = command.options
      .map((option) => option.short?.slice(1) ?? '')
      .filter((letter) => letter !== '');
    const always = ['vms', 'vm', 'get'].includes(name) ? ['j'] : [];
    t.strictSame(sorted([...short, ...always]), sorted(shortInCode), `${name}: synopsis`);
  }
});

void tap.test('vminfo fleet: code and man page have the same commands and flags', async (t) => {
  const [mdoc = ''] = (await readFile(page('vminfo-fleet'), 'utf8')).split('.Ss VMs of the fleet');
  const fleet = program.commands.find((command) => command.name() === 'fleet');
  const names = fleet?.commands.map((command) => command.name()) ?? [];
  t.strictSame(
    sorted([...mdoc.matchAll(/^\.It Cm ([a-z]+)/gm)].map(([, name]) => name ?? '')),
    sorted(names),
  );
  for (const command of fleet?.commands ?? []) {
    const inCode = longFlags(command).filter((flag) => !['--help', '--json'].includes(flag));
    t.strictSame(flagsOf(mdoc, command.name()), inCode, command.name());
  }
});

void tap.test('vminfod-publisher: --help and man page have the same flags', async (t) => {
  const publisher = fileURLToPath(new URL('../../sbin/vminfod-publisher.js', import.meta.url));
  const { stdout } = await exec(process.execPath, [publisher, '--help']);
  const inHelp = sorted([...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag ?? ''));
  const mdoc = await readFile(page('vminfod-publisher'), 'utf8');
  const [, options = ''] = mdoc.split('.Sh OPTIONS');
  t.strictSame(flagsOf(options.slice(0, options.indexOf('.Sh EXIT'))), inHelp);
  const synopsis = flagsOf(mdoc.slice(0, mdoc.indexOf('.Sh DESCRIPTION')));
  t.strictSame(sorted([...synopsis, '--help', '--version']), inHelp, 'synopsis');
});

void tap.test('vminfod: --help and man page have the same flags', async (t) => {
  const vminfod = fileURLToPath(new URL('../../sbin/vminfod.cjs', import.meta.url));
  await access(vminfod);
  const { stdout } = await exec(process.execPath, [vminfod, '--help']);
  const inHelp = sorted([...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag ?? ''));
  const mdoc = await readFile(page('vminfod'), 'utf8');
  const [, description = ''] = mdoc.split('The options are as follows:');
  const options = flagsOf(description.slice(0, description.indexOf('.Sh HTTP')));
  t.strictSame(
    inHelp.filter((flag) => !options.includes(flag)),
    [],
    'every flag is described',
  );
  t.strictSame(
    options.filter((flag) => !inHelp.includes(flag)),
    [],
    'every flag described is there',
  );
  const synopsis = flagsOf(mdoc.slice(0, mdoc.indexOf('.Sh DESCRIPTION')));
  t.strictSame(sorted([...synopsis, '--help', '--version']), options, 'synopsis');
});
