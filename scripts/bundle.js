/**
 * `npm run build`, after the compiler: bundles each entry point with its imports into one file, which replaces the
 * compiler's output. Node then opens a few files instead of hundreds. What vminfo loads on demand stays in separate
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
for (const name of ['vminfo-main', 'vminfod-publisher']) {
  await build({
    ...options,
    entryPoints: [`sbin/${name}.ts`],
    splitting: true,
    chunkNames: `sbin/${name}-piece-[hash]`,
    banner: { js: banner },
  });
}
// One CommonJS file each, in place of the compiler's ES modules: Node loads it sooner.
const commonJs = {
  ...options,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'urlOfFile' },
  banner: { js: "const urlOfFile = require('node:url').pathToFileURL(__filename).href;" },
};
// What the daemon loads only when it needs it: a file each, or Node would read and parse them at its start.
const onDemand = ['prom-client', 're2js'].map((name) => ({ name, file: `vminfod-${name}` }));
await build({
  ...commonJs,
  entryPoints: onDemand.map(({ name, file }) => ({ in: name, out: file })),
  outdir: sbin,
});
const onDemandAlias = Object.fromEntries(onDemand.map(({ name, file }) => [name, `./${file}.cjs`]));
await build({
  ...commonJs,
  entryPoints: ['sbin/vminfod.ts'],
  alias: { ...options.alias, ...onDemandAlias },
  external: Object.values(onDemandAlias),
});
// The command does the quickest itself: see sbin/vminfo.ts.
await build({ ...commonJs, entryPoints: ['sbin/vminfo.ts'], external: ['./vminfo-main.js'] });
await build({ ...commonJs, entryPoints: ['lib/host/file-thread.ts'] });
const replaced = ['vminfod', 'vminfod-main', 'start-ahead', 'vminfo'].map((name) => `sbin/${name}.js`);
for (const entry of [...replaced, 'lib/host/file-thread.js'])
  for (const end of ['', '.map']) await rm(resolve(project, 'dist', entry + end), { force: true });
