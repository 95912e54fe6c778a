/** 1,000 VMs and 100 changes a second: the page's main thread has no long task once it has loaded. */
import tap from 'tap';
import { aSmallVm, serve } from '../http/serve.js';
import { skip, startBrowser } from './browser.js';

const vms = 1_000;
const changesPerSecond = 100;
const seconds = 10;

/** As large as real ones: 3 kB. */
const aLargeVm = (n: number, quota: number) =>
  aSmallVm(n, {
    quota,
    owner_uuid: `00000000-0000-4000-9000-${String(n % 40).padStart(12, '0')}`,
    customer_metadata: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key${i}`, 'x'.repeat(120)])),
    internal_metadata: {},
    tags: {},
  });

void tap.test('1,000 VMs, 100 changes/s: no long task', { skip, timeout: 180_000 }, async (t) => {
  const { url, store } = await serve(t, { vms: Array.from({ length: vms }, (_, n) => aLargeVm(n, 10)) });
  const browser = await startBrowser();
  t.teardown(() => browser.close());
  const [page = await browser.context.newPage()] = browser.context.pages();
  await page.goto(url);
  await page.locator('.body .row').first().waitFor();
  await page.getByText('Nothing has happened').waitFor();
  await page.evaluate(`
    globalThis.longTasks = [];
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => Math.round(duration))))
      .observe({ type: 'longtask' });`);

  t.ok((await page.locator('.body .row').count()) < 80, 'only the rows in view are in the document');
  let n = 0;
  const started = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(
        changesPerSecond * seconds,
        ((performance.now() - started) / 1000) * changesPerSecond,
      );
      for (; n < due; n++) store.put(aLargeVm((n * 7) % vms, 11 + n));
      if (n < changesPerSecond * seconds) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
  await page.locator('.changes .entry', { hasText: `-> ${10 + n} GiB` }).waitFor();
  const longTasks = (await page.evaluate('longTasks')) as number[];
  t.comment(`${n} changes; tasks over 50 ms: ${longTasks.length === 0 ? 'none' : longTasks.join(', ')}`);
  t.same(longTasks, []);
});
