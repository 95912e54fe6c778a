/** What `npm pack` puts into the package: all that an install needs, and no tests. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import tap from 'tap';

const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));

void tap.test('the package has the commands, the client, the man pages and the service', async (t) => {
  const argv = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', argv, { cwd: packageRoot, maxBuffer: 2 ** 24 });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string; mode: number }[] }];
  const modes = new Map(files.map(({ path, mode }) => [path, mode]));
  for (const path of [
    'dist/sbin/vminfod.cjs',
    'dist/sbin/vminfo.cjs',
    'dist/lib/index.js',
    'dist/lib/index.d.ts',
    'dist/lib/http/page/main.js',
    'lib/http/page/index.html',
    'lib/http/page/page.css',
    'lib/http/page/icon.svg',
    'man/man8/vminfod.8',
    'man/man8/vminfo.8',
    'smf/vminfod.xml',
    'smf/vminfod',
    'LICENSE',
  ]) {
    t.ok(modes.has(path), path);
  }
  const { scripts } = JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as { scripts: object };
  for (const name of [
    'preinstall',
    'install',
    'postinstall',
    'prepublish',
    'preprepare',
    'prepare',
    'postprepare',
  ])
    t.notOk(name in scripts, `npm would warn of a script ${name} when the package is installed`);
  for (const program of ['vminfod.cjs', 'vminfo.cjs', 'vminfod-publisher.js']) {
    t.strictSame(missingPieces(`dist/sbin/${program}`, modes), [], `${program} and all that it loads`);
  }
  t.equal((modes.get('smf/vminfod') ?? 0) & 0o111, 0o111, 'the method can be run');
  t.strictSame(
    [...modes.keys()].filter((path) => /(^|\/)test\//.test(path)),
    [],
  );
});

/** The files beside it that a bundled program names, or one of these does, and that are not in the package. */
function missingPieces(program: string, packed: ReadonlyMap<string, unknown>): string[] {
  const seen = new Set([program]);
  for (const path of seen) {
    if (!packed.has(path)) continue;
    const text = readFileSync(join(packageRoot, path), 'utf8');
    for (const [, name = ''] of text.matchAll(/"\.\/([\w-]+-(?:main|piece-\w+)\.js|vminfod-[\w-]+\.cjs)"/g))
      seen.add(`dist/sbin/${name}`);
  }
  return [...seen].filter((path) => !packed.has(path));
}
