/** Runs a module in a process that may open few files, to see what we do when it runs out of descriptors. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Runs the text of a module that may call `takeAll()`, after which nothing can be opened, and `giveBack()`; resolves with the
 * last line that it prints, parsed.
 */
export async function withoutDescriptors(module: string): Promise<unknown> {
  const program = `
    import { closeSync, openSync } from 'node:fs';
    const files = [];
    const takeAll = () => { try { for (;;) files.push(openSync('/dev/null')); } catch {} };
    const giveBack = () => { for (const file of files.splice(0)) closeSync(file); };
    ${module}`;
  const script = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"';
  const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, program]);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}
