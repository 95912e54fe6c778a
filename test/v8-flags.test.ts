/** Memory that the daemon does not take. In a process of its own, because V8's flags are the process's. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import tap, { type Test } from 'tap';

/** Megabytes of its young generation, after it has made more garbage than that. */
async function youngGenerationMb(t: Test, isKeptSmall: boolean): Promise<number> {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepHeapSmall } from ${moduleOf('../lib/v8-flags.js')};
    import { createHost } from ${moduleOf('../lib/host/host.js')};
    if (${String(isKeptSmall)}) keepHeapSmall();
    const ending = new AbortController();
    const host = createHost({ root: ${JSON.stringify(t.testdir())}, signal: ending.signal });
    await host.files.read('zone', [{ name: 'file', path: '/etc/hosts' }]);
    const kept = [];
    for (let count = 0; count < 500_000; count++) kept.push({ text: 'x' + count });
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(young.space_size / 2 ** 20);
    ending.abort();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return Number(stdout);
}

function moduleOf(path: string): string {
  return JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
}

void tap.test('the heap stays small, also once a thread reads files', async (t) => {
  const [small, usual] = [await youngGenerationMb(t, true), await youngGenerationMb(t, false)];
  t.comment(`${small} MB, otherwise ${usual} MB`);
  t.ok(small <= 8 && small < usual, 'its young generation has not grown');
});

/** How often V8 decides to optimize a function that runs for three times as long as it takes by default. */
async function timesOptimized(settings: string): Promise<number> {
  const script = `
    import { optimizeAsUsual, optimizeLate } from ${moduleOf('../lib/v8-flags.js')};
    ${settings}
    function busy(text) { let sum = 0; for (let at = 0; at < text.length; at++) sum += text.charCodeAt(at) % 7; return sum; }
    for (let turn = 0; turn < 80; turn++) busy('some text, a hundred characters of it or so, to be gone through one by one, and over again');`;
  const args = ['--trace-opt', '--input-type=module', '-e', script];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  if (stderr !== '') throw new Error(stderr);
  return [...stdout.matchAll(/\[marking .*<JSFunction busy.* for optimization to TURBOFAN/g)].length;
}

const isOld = Number.parseInt(process.versions.v8, 10) < 12;

void tap.test('V8 optimizes late during the start, and as usual after it', async (t) => {
  t.equal((await timesOptimized('optimizeLate();')) === 0, isOld, 'where it can be told so');
  t.ok((await timesOptimized('optimizeLate(); optimizeAsUsual();')) > 0);
  t.ok((await timesOptimized('')) > 0, 'as it does by itself');
});
