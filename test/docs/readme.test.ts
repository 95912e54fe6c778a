/** The README's examples: extracted and run verbatim, in the project's directory and beside the demo, as the README says. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import tap from 'tap';
import { eventually } from '../daemon/harness.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));
const readme = readFileSync(join(project, 'README.md'), 'utf8');

void tap.test('README: its commands and its program, beside the demo', { timeout: 180_000 }, async (t) => {
  const demo = spawn(process.execPath, [join(project, 'dist/sbin/demo.js'), '--port', '0']);
  const cache = mkdtempSync(join(tmpdir(), 'vminfod-npm-'));
  let said = '';
  demo.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  demo.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise((resolve) => demo.once('close', resolve));
  t.teardown(async () => {
    demo.kill('SIGTERM');
    await ended;
    rmSync(cache, { recursive: true, force: true });
  });
  await eventually(() => said.includes('Below, what happens'), 'the demo runs');
  const [url = '', root = ''] = /http:\S+ .* in (\S+)/.exec(said)?.[0].split(/ .* in /) ?? [];
  t.match(said, 'npx vminfo');

  // What a newcomer has: npm, with nothing in its cache.
  const env = {
    VMINFOD_URL: url,
    npm_config_cache: cache,
    npm_config_offline: 'true',
    npm_config_yes: 'false',
  };
  for (const { command, output } of consoles()) {
    const here = command.replaceAll('localhost:9090', new URL(url).host);
    const { stdout } = await execa('sh', ['-c', here], { cwd: project, env });
    if (output === '…') t.not(stdout, '', command);
    else t.equal(stdout, output, command);
  }

  const program = blocks('js')[0] ?? '';
  t.ok(program.split('\n').filter((line) => line !== '').length <= 15, '15 lines');
  const command = /`(PATH=\S+ node quota\.mjs)`/.exec(readme)?.[1] ?? '';
  const file = join(project, 'dist', 'quota.mjs');
  writeFileSync(file, program);
  const here = command.replace(/\/tmp\/simulated-gz-…/, root).replace('quota.mjs', file);
  const { stdout } = await execa('sh', ['-c', here], { cwd: project, env });
  const [, before, after] = /^quota of \S+: (\d+) -> (\d+)$/.exec(stdout) ?? [];
  t.equal(Number(after), Number(before) + 1);
});

/** Each `$ command` of the README with the output below it; `…` stands for any. */
function consoles(): { command: string; output: string }[] {
  return blocks('console').flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...output] = part.trimEnd().split('\n');
        return { command, output: output.join('\n') };
      }),
  );
}

/** The README's fenced blocks of a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, block = '']) => block,
  );
}
