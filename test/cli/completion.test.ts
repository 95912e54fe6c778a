import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import tap, { type Test } from 'tap';
import { run } from './run.js';

const exec = promisify(execFile);

/** A directory with a vminfo that knows two VMs. */
async function twoVms(t: Test): Promise<string> {
  const bin = t.testdir();
  await writeFile(
    join(bin, 'vminfo'),
    '#!/bin/sh\n[ "$*" = lookup ] && printf "uuid-1\\nuuid-2\\n"\n[ "$*" = "list -p -o alias" ] && printf "web1\\n"\n',
  );
  await chmod(join(bin, 'vminfo'), 0o755);
  return bin;
}

/** What bash offers for the last word. */
async function offered(t: Test, words: string[]): Promise<string[]> {
  const bin = await twoVms(t);
  const script = (await run('', ['completion', 'bash'])).stdout;
  const list = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _vminfo; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await exec('bash', ['-c', `${script}\n${ask}`], {
    env: { PATH: `${bin}:/usr/bin:/bin` },
  });
  return stdout.trim().split('\n');
}

const asked: { words: string[]; has: string[]; hasNot?: string[] }[] = [
  { words: ['vminfo', ''], has: ['ping', 'events', 'doctor', 'help', '--url'] },
  { words: ['vminfo', 'l'], has: ['list', 'lookup'], hasNot: ['ping'] },
  { words: ['vminfo', '--url', 'unix:/x', 'li'], has: ['list'] },
  {
    words: ['vminfo', 'list', '--'],
    has: ['--parsable', '--output', '--json', '--help'],
    hasNot: ['--full'],
  },
  { words: ['vminfo', 'get', ''], has: ['uuid-1', 'uuid-2', 'web1'], hasNot: ['--json', 'state='] },
  { words: ['vminfo', 'list', 'sta'], has: ['state='] },
  { words: ['vminfo', 'list', '-o', 'sta'], has: ['state'], hasNot: ['state='] },
  { words: ['vminfo', 'events', 'w'], has: ['web1'] },
  { words: ['vminfo', 'get', '-'], has: ['-j', '--json'], hasNot: ['uuid-1'] },
  { words: ['vminfo', 'help', 'co'], has: ['completion'] },
  { words: ['vminfo', 'completion', ''], has: ['bash', 'zsh'] },
];
for (const { words, has, hasNot = [] } of asked) {
  void tap.test(`bash completes: ${words.join(' ')}`, async (t) => {
    const words_ = await offered(t, words);
    t.strictSame(
      has.filter((word) => !words_.includes(word)),
      [],
    );
    t.strictSame(
      hasNot.filter((word) => words_.includes(word)),
      [],
    );
  });
}

for (const [words, has, hasNot] of [
  ['get ', ['uuid-1', 'uuid-2', 'web1'], ['state=']],
  ['events w', ['web1'], ['uuid-1']],
  ['list sta', ['state='], ['web1']],
  ['list -o sta', ['state'], ['state=', 'web1']],
  ['comp', ['completion'], ['list']],
  ['completion ', ['bash', 'zsh', 'fish'], []],
] as const)
  void tap.test(`fish completes: vminfo ${words}`, { skip: without('fish') }, async (t) => {
    const bin = await twoVms(t);
    const script = (await run('', ['completion', 'fish'])).stdout;
    const { stdout, stderr } = await exec(
      'fish',
      ['--no-config', '-c', `${script}\ncomplete -C 'vminfo ${words}'`],
      {
        env: { PATH: `${bin}:/usr/bin:/bin`, HOME: bin },
      },
    );
    const offers = stdout.split('\n').map((line) => line.split('\t')[0]);
    for (const word of has) t.ok(offers.includes(word), word);
    for (const word of hasNot) t.notOk(offers.includes(word), word);
    t.equal(stderr, '');
  });

void tap.test('zsh completes VMs, fields and filters', { skip: without('zsh') }, async (t) => {
  const bin = await twoVms(t);
  const script = (await run('', ['completion', 'zsh'])).stdout;
  // What zsh itself would do with them works only on a terminal.
  const asked = `
    compdef() { : }
    _describe() { print -l \${(P)2} }
    compadd() { print -l \${(P)4} }
    _values() { print -l -- $@ }
    ${script}
    _vminfo_vms; _vminfo_fields; _vminfo_vms_and_filters`;
  const { stdout, stderr } = await exec('zsh', ['-f', '-c', asked], {
    env: { PATH: `${bin}:/usr/bin:/bin` },
  });
  const offers = stdout.split('\n');
  t.equal(stderr, '');
  t.strictSame(offers.slice(0, 3), ['uuid-1', 'uuid-2', 'web1']);
  t.equal(offers.filter((each) => each === 'state').length, 2, 'as a field, and for a filter');
  t.equal(offers.filter((each) => each === 'web1').length, 2);
});

/** Why a test that needs a program is skipped, or false. */
function without(program: string): string | false {
  return existsSync(`/usr/bin/${program}`) ? false : `no ${program} (apt-get install ${program})`;
}

for (const shell of ['zsh', 'fish'])
  void tap.test(`the ${shell} script has every command and every option`, async (t) => {
    const { stdout } = await run('', ['completion', shell]);
    const help = (await run('', ['--help'])).stdout;
    const commands = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name ?? '');
    t.ok(commands.length > 10);
    for (const command of commands) {
      t.match(stdout, new RegExp(`('|-a )${command}[: ]`));
      const options = (await run('', ['help', ...(command === 'help' ? [] : [command])])).stdout.match(
        /--[a-z-]+/g,
      );
      for (const option of options ?? [])
        t.ok(stdout.includes(shell === 'fish' ? `-l ${option.slice(2)}` : option), `${command} ${option}`);
    }
  });

void tap.test('another shell is a usage error', async (t) => {
  t.match(await run('', ['completion', 'tcsh']), {
    status: 2,
    stderr: /Allowed choices are bash, zsh, fish/,
  });
});
