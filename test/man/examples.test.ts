/** The questions of vminfo(8)'s EXAMPLES: each answered by its command, on a simulated host. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import tap from 'tap';
import { startTestDaemon } from '../daemon/harness.js';

const project = fileURLToPath(new URL('../../../', import.meta.url));

/** The commands after each question, as a shell reads them. */
function examples(): string[] {
  const page = readFileSync(join(project, 'man/man8/vminfo.8'), 'utf8');
  const section = page.slice(page.indexOf('.Sh EXAMPLES'), page.indexOf('The one VM of an address'));
  return [...section.matchAll(/^\.Dl \$ (.*)$/gm)].map(([, command = '']) => command.replaceAll('\\e', '\\'));
}

// A process for each, one after the other.
tap.setTimeout(180_000);
void tap.test('20 questions are answered by one command each', { timeout: 180_000 }, async (t) => {
  const test = await startTestDaemon(t, { vms: 8 });
  const vms = await test.vms();
  const [vm, second, third] = vms.filter(({ state }) => state === 'running');
  if (!vm || !second || !third) throw new Error('no three VMs run on the simulated host');
  const bin = mkdtempSync(join(tmpdir(), 'vminfod-examples-'));
  t.teardown(() => {
    rmSync(bin, { recursive: true });
  });
  const vminfo = `#!/bin/sh\nexec ${process.execPath} ${project}dist/sbin/vminfo.cjs "$@"\n`;
  writeFileSync(join(bin, 'vminfo'), vminfo, { mode: 0o755 });
  const commands = examples();
  t.ok(commands.length >= 20, `${commands.length} of them`);
  for (const command of commands) {
    t.notMatch(command, /[|;&]/, 'one command');
    const { exitCode, stdout, stderr } = await execa('bash', ['-o', 'pipefail', '-c', command], {
      reject: false,
      env: {
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        VMINFOD_URL: test.daemon.url,
        alias: vm.alias ?? vm.uuid,
        second: second.alias ?? second.uuid,
        third: third.alias ?? third.uuid,
        prefix: vm.uuid.slice(0, 8),
      },
    });
    t.equal(exitCode, 0, command);
    t.equal(stderr, '', command);
    if (command.includes('-s -snapshots')) {
      const most = Math.max(...vms.map(({ snapshots = [] }) => snapshots.length));
      t.match(stdout.split('\n')[1], new RegExp(` ${most}$`), 'the first has the most');
    }
  }
});
