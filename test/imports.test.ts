/** No cycles among our modules. eslint checks which folder may import which. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import tap from 'tap';
import ts from 'typescript';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** The modules that a module imports when it runs: types are gone by then. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(project, file), 'utf8').replace(/^(import|export) type [^;]*;/gm, '');
  const { importedFiles } = ts.preProcessFile(text);
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => normalize(join(dirname(file), fileName.replace(/\.js$/, '.ts'))));
}

void tap.test('no module imports itself by way of others', (t) => {
  const files = readdirSync(join(project, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join('lib', file));
  const imports = new Map(files.map((file) => [file, importsOf(file)]));
  t.ok(imports.size > 50, 'all of lib is looked at');
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) t.fail([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  t.end();
});
