/** The README's examples: extracted and run, against a daemon on a simulated host. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import tap, { type Test } from 'tap';
import { startTestDaemon, type TestDaemon } from '../daemon/harness.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));
const readme = readFileSync(join(project, 'README.md'), 'utf8');

void tap.test('README: what its consoles show is what the commands print', async (t) => {
  const test = await startTestDaemon(t);
  const bin = commands(t, test);
  for (const { command, output } of consoles()) {
    const port = new URL(test.daemon.url).port;
    const { stdout } = await execa('sh', ['-c', command.replaceAll('localhost:9090', `localhost:${port}`)], {
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, VMINFOD_URL: test.daemon.url },
    });
    if (output === '…') t.not(stdout, '', command);
    else t.equal(stdout, output, command);
  }
});

void tap.test('README: the program that changes a quota and waits for it', async (t) => {
  const test = await startTestDaemon(t);
  const bin = commands(t, test);
  const program = blocks('js')[0] ?? '';
  t.ok(program.split('\n').filter((line) => line !== '').length <= 15, '15 lines');
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', program], {
    cwd: project,
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, VMINFOD_URL: test.daemon.url },
  });
  const [, before, after] = /^quota of \S+: (\d+) -> (\d+)$/.exec(stdout) ?? [];
  t.equal(Number(after), Number(before) + 1);
});

/** The README's commands by name: vminfo, and a zfs that works on the simulated host. */
function commands(t: Test, { host }: TestDaemon): string {
  const bin = mkdtempSync(join(tmpdir(), 'vminfod-readme-'));
  t.teardown(() => {
    rmSync(bin, { recursive: true });
  });
  symlinkSync(join(project, 'dist/sbin/vminfo.js'), join(bin, 'vminfo'));
  const zfs = `#!/bin/sh\nexec ${process.execPath} ${project}dist/sbin/vminfod-sim.js --root ${host.root} zfs "$@"\n`;
  writeFileSync(join(bin, 'zfs'), zfs);
  chmodSync(join(bin, 'zfs'), 0o755);
  chmodSync(join(project, 'dist/sbin/vminfo.js'), 0o755);
  return bin;
}

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
