/**
 * 1,000 VMs and 100 changes a second: the views keep up, and cost the daemon's other listeners nothing. CPU time counts,
 * from Chromium's trace and from /proc: on a busy machine a task also waits for its turn, which says nothing about the
 * views. Alone on a machine no task of the page takes 50 ms; where caches are shared with others, one in a hundred may.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import tap from 'tap';
import { Terminal } from '../cli/top/terminal.js';
import { aSmallVm, open, serve, type Served, type Stream } from '../http/serve.js';
import { descendantsOf } from '../processes.js';
import { skip, startBrowser } from './browser.js';

const vms = 1_000;
const changesPerSecond = 100;
const seconds = 10;
const maxTaskMs = 50;

/** As large as real ones: 3 kB. */
const aLargeVm = (n: number, quota: number) =>
  aSmallVm(n, {
    quota,
    zfs_filesystem: `zones/${n}`,
    owner_uuid: `00000000-0000-4000-9000-${String(n % 40).padStart(12, '0')}`,
    customer_metadata: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key${i}`, 'x'.repeat(120)])),
    internal_metadata: {},
    tags: {},
  });

void tap.test('1,000 VMs, 100 changes/s: the page and vminfo top', { skip, timeout: 170_000 }, async (t) => {
  const { url, store } = await serve(t, {
    vms: Array.from({ length: vms }, (_, n) => aLargeVm(n, 10)),
    readUsage: () =>
      Promise.resolve(
        new Map(Array.from({ length: vms }, (_, n) => [`zones/${n}`, { used: n * 10, referenced: n }])),
      ),
  });
  const storm = new Storm(store);
  const latencies = await latenciesOf(await open(t, `${url}/events?vms=none`), storm);
  await storm.rage(3);
  await latencies.all();
  const alone = latencies.take();

  const browser = await startBrowser();
  t.teardown(() => browser.close());
  const [page = await browser.context.newPage()] = browser.context.pages();
  page.setDefaultTimeout(120_000);
  await page.goto(url);
  await page.locator('.body .row').first().waitFor();
  await page.locator('.changes .entry').first().waitFor();
  t.ok((await page.locator('.body .row').count()) < 80, 'only the rows in view are in the document');
  await using terminal = await Terminal.open({ columns: 160, rows: 50 });
  await terminal.type(`${process.execPath} ${vminfo} --url ${url} top`);
  await terminal.press('Enter');
  await terminal.until(/1000 VMs .*connected/);
  const [top] = await descendantsOf(await terminal.shell());

  const stop = await traceTasks(browser.context, page);
  const started = performance.now();
  const topBefore = cpuMsOf(top?.pid);
  await storm.rage(seconds);
  const last = `-> ${storm.lastQuota} GiB`;
  await page.locator('.changes .entry', { hasText: last }).waitFor();
  await terminal.until((screen) => screen.includes(last));
  const tookMs = performance.now() - started;
  const tasks = await stop();
  const topShare = (cpuMsOf(top?.pid) - topBefore) / tookMs;
  await latencies.all();
  const beside = latencies.take();

  const longest = tasks.reduce((most, { cpuMs }) => Math.max(most, cpuMs), 0);
  const longestWall = tasks.reduce((most, { wallMs }) => Math.max(most, wallMs), 0);
  const busy = tasks.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / tookMs;
  t.comment(
    `the page: ${tasks.length} tasks, the longest ${longest.toFixed(1)} ms of CPU (${longestWall.toFixed(1)} ms with ` +
      `waiting), ${percent(busy)} of a core`,
  );
  t.ok(tasks.length > 100, 'it was measured');
  const long = tasks.filter(({ cpuMs }) => cpuMs > maxTaskMs);
  t.ok(long.length <= tasks.length / 100, `${long.length} tasks over ${maxTaskMs} ms`);
  t.ok(longest < 4 * maxTaskMs, 'and none that people would notice');

  // Alone on a machine it is about 12 %.
  t.comment(`vminfo top: ${percent(topShare)} of a core`);
  t.ok(topShare > 0 && topShare < 0.6);

  t.comment(`an event reached another listener after ${alone} without the views, ${beside} with them`);
});

const vminfo = fileURLToPath(new URL('../../sbin/vminfo.cjs', import.meta.url));

/** Changes quotas, and knows when it changed each. */
class Storm {
  readonly #store: Served['store'];
  /** By quota: no two changes have the same. */
  readonly changedAt = new Map<number, number>();
  lastQuota = 10;

  constructor(store: Served['store']) {
    this.#store = store;
  }

  /** Resolves when it is over. */
  rage(forSeconds: number): Promise<void> {
    const started = performance.now();
    let n = 0;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const passed = (performance.now() - started) / 1000;
        for (; n < Math.min(forSeconds, passed) * changesPerSecond; n++) {
          this.lastQuota++;
          this.changedAt.set(this.lastQuota, performance.now());
          this.#store.put(aLargeVm((this.lastQuota * 7) % vms, this.lastQuota));
        }
        if (passed < forSeconds) return;
        clearInterval(timer);
        resolve();
      }, 10);
    });
  }
}

/** Reads a stream, and how late each change comes. */
async function latenciesOf(stream: Stream, storm: Storm) {
  await stream.line(); // ready
  let late: number[] = [];
  let count = 0;
  const read = async () => {
    for (;;) {
      const quota = Number(/"quota":(\d+)/.exec(await stream.text())?.[1]);
      late.push(performance.now() - (storm.changedAt.get(quota) ?? 0));
      count++;
    }
  };
  read().catch(() => undefined); // The test has ended.
  return {
    /** Resolves once each change has come. */
    all: async () => {
      while (count < storm.changedAt.size) await new Promise(setImmediate);
    },
    /** Those since the last time, as text. */
    take: () => {
      const sorted = late.sort((a, b) => a - b);
      late = [];
      const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(1);
      return `${at(0.5)} ms (99 %: ${at(0.99)} ms)`;
    },
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** The CPU time of a process, all its threads, in ticks of 10 ms. */
function cpuMsOf(pid = 0): number {
  const [, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user = 0, system = 0] = fields.join(') ').split(' ').slice(11, 13).map(Number);
  return (user + system) * 10;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds: on the clock, and of the thread's CPU time. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Records the tasks of the page's main thread until what it resolves with is called. */
async function traceTasks(
  context: BrowserContext,
  page: Page,
): Promise<() => Promise<{ readonly cpuMs: number; readonly wallMs: number }[]>> {
  const debug = await context.newCDPSession(page);
  const events: TraceEvent[] = [];
  debug.on('Tracing.dataCollected', ({ value }) => {
    events.push(...(value as unknown as TraceEvent[]));
  });
  const traceConfig = { includedCategories: ['toplevel'] };
  await debug.send('Tracing.start', { traceConfig, transferMode: 'ReportEvents' });
  return async () => {
    const complete = new Promise((resolve) => debug.once('Tracing.tracingComplete', resolve));
    await debug.send('Tracing.end');
    await complete;
    const main = events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
    return events
      .filter(({ name, ph }) => ph === 'X' && name === 'ThreadControllerImpl::RunTask')
      .filter(({ pid, tid }) => main.some((thread) => thread.pid === pid && thread.tid === tid))
      .map(({ dur = 0, tdur = 0 }) => ({ cpuMs: tdur / 1000, wallMs: dur / 1000 }));
  };
}
