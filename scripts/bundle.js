/**
 * `npm run build`, after the compiler: bundles each entry point with its imports into one file, which replaces the
 * compiler's output. Node then opens a few files instead of hundreds. Modules that are loaded on demand stay separate
 * files, and `dist/lib` stays as it is, to be imported.
 */
import { readFile, readdir, rm } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const project = fileURLToPath(new URL('../', import.meta.url));
const piece = /-piece-\w+\.js(\.map)?$/;

/** Our modules keep their unbundled `import.meta.url`, by which they find files beside them. */
const keepPlaces = {
  name: 'keep-places',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const compiled = relative(project, path).replace(/\.ts$/, '.js');
      const place = `new URL('../${compiled}', import.meta.url).href`;
      const contents = compiled.startsWith('lib/') ? text.replaceAll('import.meta.url', place) : text;
      return { contents, loader: 'ts', resolveDir: dirname(path) };
    });
  },
};

/** Some packages are CommonJS and load Node's own modules with `require`. */
const banner = `import { createRequire as createRequireOfPiece } from 'node:module';
const require = createRequireOfPiece(import.meta.url);`;

const options = {
  absWorkingDir: project,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  outbase: '.',
  outdir: 'dist',
  sourcemap: true,
  sourcesContent: false,
  allowOverwrite: true,
  alias: {
    // Its CommonJS files cannot be tree-shaken.
    rxjs: resolve(project, 'node_modules/rxjs/dist/esm/index.js'),
    'string-width': resolve(project, 'scripts/lazy-string-width.js'),
  },
  // Packages that only `vminfo top` and the fleet use: they are large, and have files of their own.
  external: ['ink', 'react', 'ansi-escapes', '@nats-io/*'],
  plugins: [keepPlaces],
  logLevel: 'warning',
};

const sbin = resolve(project, 'dist/sbin');
for (const name of await readdir(sbin)) if (piece.test(name)) await rm(resolve(sbin, name));
for (const name of ['vminfod', 'vminfo-main', 'vminfod-publisher']) {
  await build({
    ...options,
    entryPoints: [`sbin/${name}.ts`],
    splitting: true,
    chunkNames: `sbin/${name}-piece-[hash]`,
    banner: { js: banner },
  });
}
const commonJs = { ...options, format: 'cjs', outExtension: { '.js': '.cjs' } };
// One CommonJS file each, in place of the compiler's ES module. The command: see sbin/vminfo.ts.
await build({ ...commonJs, entryPoints: ['sbin/vminfo.ts'], external: ['./vminfo-main.js'] });
// A thread has its own entry point, and is loaded in half the time.
await build({ ...commonJs, entryPoints: ['lib/host/file-thread.ts'] });
for (const entry of ['sbin/vminfo.js', 'lib/host/file-thread.js'])
  for (const end of ['', '.map']) await rm(resolve(project, 'dist', entry + end), { force: true });
