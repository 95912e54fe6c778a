/**
 * `npm run build`, after the compiler: makes one file of each entry point and what it imports, in the place of what the
 * compiler made of it. Node then looks for some files instead of some hundreds. What is loaded only when it is needed stays
 * in files of its own, and `dist/lib` stays as it is, to be imported.
 */
import { readFile, readdir, rm } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const project = fileURLToPath(new URL('../', import.meta.url));
const piece = /-piece-\w+\.js(\.map)?$/;

/** In ours, `import.meta.url` stays what it is without bundling: by it they find files beside them. */
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

/** Some packages are CommonJS and ask for Node's own modules by `require`. */
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
  // Its CommonJS files cannot be had in part.
  alias: { rxjs: resolve(project, 'node_modules/rxjs/dist/esm/index.js') },
  // What only `vminfo top` and the fleet use: they are large, and come with files of their own.
  external: ['ink', 'react', 'ansi-escapes', '@nats-io/*'],
  plugins: [keepPlaces],
  logLevel: 'warning',
};

const sbin = resolve(project, 'dist/sbin');
for (const name of await readdir(sbin)) if (piece.test(name)) await rm(resolve(sbin, name));
for (const name of ['vminfod', 'vminfo', 'vminfod-publisher']) {
  await build({
    ...options,
    entryPoints: [`sbin/${name}.ts`],
    splitting: true,
    chunkNames: `sbin/${name}-piece-[hash]`,
    banner: { js: banner },
  });
}
// A thread has an entry point of its own.
await build({ ...options, entryPoints: ['lib/host/file-thread.ts'] });
