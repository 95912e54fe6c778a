/** The page in a real browser, on a daemon on a simulated host: what an operator would do with it, in order. */
import { createServer, connect, type Socket, type AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { inspect, isDeepStrictEqual } from 'node:util';
import AxeBuilder from 'axe-core';
import type { Page } from 'playwright-core';
import { pino } from 'pino';
import { NEVER } from 'rxjs';
import tap, { type Test } from 'tap';
import { startDaemon, type Daemon } from '../../lib/daemon.js';
import { createSimulatedHost } from '../../lib/simulator/index.js';
import { aSmallVm, serve } from '../http/serve.js';
import { skip, startBrowser } from './browser.js';

const options = { skip, timeout: 180_000 };

/** A page, and all that a browser complains of. */
async function openPage(t: Test, url: string): Promise<{ page: Page; complaints: readonly string[] }> {
  const browser = await startBrowser({ colorScheme: 'light' });
  t.teardown(() => browser.close());
  const [page = await browser.context.newPage()] = browser.context.pages();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // That a connection is refused is what some tests are about.
    const isExpected = /net::ERR_|503 \(Service Unavailable\)|404 \(Not Found\)/.test(message.text());
    if (message.type() === 'error' && !isExpected) complaints.push(message.text());
  });
  // Trusted Types refuse to run text as code; playwright's own functions are such text, except here.
  await page.addInitScript({
    content: `addEventListener('securitypolicyviolation', (event) =>
      console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI));`,
  });
  await page.goto(url);
  await page.locator('.body .row').first().waitFor();
  return { page, complaints };
}

/** A way to a port that can be cut, and opened again. */
async function cuttable(t: Test, port: number): Promise<{ url: string; cut: () => void; mend: () => void }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const proxy = createServer((socket) => {
    if (isCut) {
      socket.destroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    for (const each of [socket, upstream]) {
      sockets.add(each);
      each.on('error', () => each.destroy());
      each.on('close', () => {
        sockets.delete(each);
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(() => {
    cut();
    proxy.close();
  });
  const mend = () => {
    isCut = false;
  };
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/`, cut, mend };
}

const count = (page: Page) => page.locator('.body .row').count();
const rowOf = (page: Page, alias: string) => page.locator('.body .row', { hasText: alias });

/** Waits until what a function gives is as expected, and says what it gave when that does not come. */
async function becomes<T>(ask: () => Promise<T>, expected: T): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const got = await ask();
    if (isDeepStrictEqual(got, expected)) return got;
    if (performance.now() > deadline) throw new Error(`It is ${inspect(got)}, not ${inspect(expected)}.`);
    await setTimeout(20);
  }
}

void tap.test(
  'the page: an operator looks, searches, opens a VM, loses the connection',
  options,
  async (t) => {
    const host = await createSimulatedHost({ vms: 12 });
    const daemonOptions = {
      root: host.root,
      listen: '127.0.0.1',
      rescanIntervalMs: 2 ** 31 - 1,
      log: pino({ level: 'silent' }),
      requests: NEVER,
    };
    let daemon: Daemon = await startDaemon({ ...daemonOptions, port: 0 });
    t.teardown(async () => {
      await daemon.close();
      await daemon.ended;
      await host.remove();
    });
    const port = Number(new URL(daemon.url).port);
    const wire = await cuttable(t, port);
    const { page, complaints } = await openPage(t, wire.url);
    const vms = (await (await fetch(`${daemon.url}/vms`)).json()) as {
      zonename: string;
      alias: string;
      state: string;
      quota: number;
      brand: string;
      internal_metadata: Record<string, string>;
    }[];
    const [vm = vms[0]] = vms.filter(({ brand, state }) => brand === 'joyent-minimal' && state === 'running');
    if (vm === undefined) throw new Error('no such VM');
    const running = vms.filter(({ state }) => state === 'running').length;

    await t.test('twelve VMs', async (t) => {
      await becomes(() => count(page), 12);
      t.equal(
        await page
          .locator('.count')
          .textContent()
          .then((text) => text?.trim()),
        '12 VMs',
      );
      t.match(await page.locator('.connection').textContent(), /live/);
    });

    await t.test('chips count and filter, and are in the address', async (t) => {
      const chip = page.locator('.chip', { hasText: 'running' });
      t.match((await chip.textContent())?.replaceAll(/\s+/g, ' '), `running ${running}`);
      await chip.click();
      await becomes(() => count(page), running);
      t.match(page.url(), /#\/\?state=running$/);
      t.equal(await chip.getAttribute('aria-pressed'), 'true');
      await page.reload();
      await becomes(() => count(page), running);
      await page.locator('.chip', { hasText: 'running' }).click();
      await becomes(() => count(page), 12);
    });

    await t.test('search: by words, by conditions, and what is wrong with one', async (t) => {
      const focused = await page.evaluate(`
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }));
        document.activeElement.id;
      `);
      t.equal(focused, 'search', 'before the next key');
      await page.keyboard.type(vm.alias);
      await becomes(() => count(page), vms.filter(({ alias }) => alias.includes(vm.alias)).length);
      await page.locator('#search').fill('brand=lx');
      await becomes(() => count(page), vms.filter(({ brand }) => brand === 'lx').length);
      await page.locator('#search').fill('quota>=1000g');
      await becomes(() => count(page), 0);
      t.match(await page.locator('.empty').textContent(), /No VM matches/);
      await page.locator('#search').fill('colour=blue');
      await page.locator('#problem').waitFor();
      t.match(await page.locator('#problem').textContent(), /colour/);
      await page.keyboard.press('Escape');
      await becomes(() => count(page), 12);
    });

    await t.test('sorted by any column, either way', async (t) => {
      const quotas = async () =>
        (await page.locator('.body [data-column=quota]').allTextContents()).map((text) => text.trim());
      // A row's place is its transform: the document's order is not what one sees.
      await page.locator('.head [data-column=quota] button').click();
      await becomes(() => page.locator('.head [data-column=quota]').getAttribute('aria-sort'), 'ascending');
      await page.locator('.head [data-column=quota] button').click();
      await becomes(() => page.locator('.head [data-column=quota]').getAttribute('aria-sort'), 'descending');
      const largest = Math.max(...vms.map(({ quota }) => quota));
      t.equal((await quotas())[0], `${largest} GiB`);
      await page.locator('.head [data-column=alias] button').click();
    });

    await t.test('how full disks are', async (t) => {
      const row = page.locator('.body .row', { hasText: vm.alias });
      await becomes(
        async () => /^\d+ %$/.test((await row.locator('[data-column=used]').textContent())?.trim() ?? ''),
        true,
      );
      t.match(await row.locator('.used').getAttribute('title'), /^\S+ [KMG]iB of \d+ GiB$/);
    });

    await t.test('a change shows as it happens, marked, with old and new', async (t) => {
      await host.zfs('set', `quota=${vm.quota + 7}g`, `zones/${vm.zonename}`);
      const row = rowOf(page, `quota ${vm.quota} -> ${vm.quota + 7} GiB`);
      await row.waitFor();
      t.match(await row.getAttribute('data-mark'), /even|odd/);
      const entry = page.locator('.changes .entry', { hasText: `quota ${vm.quota} -> ${vm.quota + 7} GiB` });
      await entry.locator('.line').click();
      t.equal(await entry.locator('.old').textContent(), String(vm.quota));
      t.equal(await entry.locator('.new').textContent(), String(vm.quota + 7));
      await entry.locator('.line').click();
    });

    await t.test('with the keys alone: to a VM and back', async () => {
      await page.locator('#vms').focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowDown');
      // The second row, which the head's row precedes: until the page is drawn again the first one is still selected.
      const chosen = page.locator('.body .row[aria-selected=true][aria-rowindex="3"]');
      await chosen.waitFor();
      const alias = (await chosen.locator('[data-column=alias]').textContent())?.trim();
      await page.keyboard.press('Enter');
      await becomes(() => page.locator('h1').textContent(), alias);
      await page.keyboard.press('Escape');
      await becomes(() => count(page), 12);
    });

    await t.test("a VM's page by its address; secrets are hidden until they are asked for", async (t) => {
      await host.setMetadata(vm.zonename, 'internal_metadata', { root_pw: 'hunter2' });
      await page.goto(`${wire.url}#/vms/${vm.zonename}`);
      await becomes(() => page.locator('h1').textContent(), vm.alias);
      for (const group of ['identity', 'state', 'compute', 'storage', 'network', 'metadata']) {
        t.ok(await page.locator(`.card[data-kind=${group}]`).count(), group);
      }
      t.ok(await page.locator('.nic').count(), 'a card a nic');
      t.ok(await page.locator('[role=meter]').count(), 'a bar for the quota');
      await page.getByRole('button', { name: 'Show root_pw' }).waitFor();
      t.notMatch(await page.content(), /hunter2/);
      await page.getByRole('button', { name: 'Show root_pw' }).click();
      await page.getByText('hunter2').waitFor();
      await page.getByRole('button', { name: 'Hide root_pw' }).click();
      await becomes(() => page.getByText('hunter2').count(), 0);
      await page.locator('.history', { hasText: `quota ${vm.quota} -> ${vm.quota + 7} GiB` }).waitFor();
    });

    await t.test('the connection is lost, and resumed without a gap', async (t) => {
      await page.goto(`${wire.url}#/`);
      await becomes(() => count(page), 12);
      wire.cut();
      await page.locator('.banner[data-kind=lost]').waitFor();
      for (let n = 1; n <= 5; n++) await host.zfs('set', `quota=${100 + n}g`, `zones/${vm.zonename}`);
      await becomes(async () => {
        const { quota } = (await (await fetch(`${daemon.url}/vms/${vm.zonename}`)).json()) as {
          quota: number;
        };
        return quota;
      }, 105);
      wire.mend();
      await page.locator('.banner[data-kind=back]').waitFor();
      t.match(await page.locator('.banner').textContent(), /Nothing was missed/);
      const { events } = (await (
        await fetch(`${daemon.url}/changes?path=quota&zonename=${vm.zonename}`)
      ).json()) as { events: { changes: { oldValue: number; newValue: number }[] }[] };
      // What was missed is shown in the next drawing after the banner, all of it at once.
      await page.locator('.changes .entry', { hasText: '-> 105 GiB' }).waitFor();
      for (const { changes } of events) {
        const [{ oldValue, newValue } = { oldValue: 0, newValue: 0 }] = changes;
        const text = `quota ${oldValue} -> ${newValue} GiB`;
        t.equal(await page.locator('.changes .entry', { hasText: text }).count(), 1, `once: ${text}`);
      }
    });

    await t.test('the daemon is started anew', async (t) => {
      await daemon.close();
      await daemon.ended;
      await page.locator('.banner[data-kind=lost]').waitFor();
      await host.zfs('set', 'quota=222g', `zones/${vm.zonename}`);
      daemon = await startDaemon({ ...daemonOptions, port });
      await page.locator('.banner[data-kind=back]').waitFor();
      t.match(await page.locator('.banner').textContent(), /been restarted/);
      await rowOf(page, '222 GiB').waitFor();
      await page.locator('.changes .entry', { hasText: 'quota 105 -> 222 GiB' }).waitFor();
    });

    await t.test('health: every source runs', async () => {
      await page.goto(`${wire.url}#/health`);
      await becomes(() => page.locator('.card[data-kind=sources] .state[data-state=running]').count(), 3);
    });

    await t.test('axe finds nothing serious, light and dark, wide and at 375 px', async (t) => {
      for (const [width, colorScheme] of [
        [1400, 'light'],
        [1400, 'dark'],
        [375, 'light'],
        [375, 'dark'],
      ] as const) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        for (const view of ['', 'changes', 'health', `vms/${vm.zonename}`]) {
          await page.goto(`${wire.url}#/${view}`);
          await page.locator('main[data-view]').waitFor();
          await becomes(
            () =>
              page
                .locator('main .entry, main .card, main .row')
                .count()
                .then((n) => n > 0),
            true,
          );
          t.same(await seriousFindings(page), [], `${width} px, ${colorScheme}, /${view}`);
          t.equal(
            await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
            0,
            'nothing is wider than the window',
          );
        }
      }
    });

    t.same(complaints, [], 'the browser complains of nothing');
  },
);

void tap.test('the page: what is in a VM is text', options, async (t) => {
  const evil = '<img src=x onerror="hacked=true">';
  const markup = '<script>hacked=true</script>';
  const vm = aSmallVm(1, {
    alias: evil,
    customer_metadata: { [evil]: markup, url: 'javascript:hacked=true' },
    internal_metadata: { [markup]: evil },
    tags: { note: evil },
    snapshots: [{ name: evil, size: 1 }],
  });
  const { url, store } = await serve(t, { vms: [vm] });
  const { page, complaints } = await openPage(t, `${url}/`);
  await page.getByText(evil).first().waitFor();
  store.put({ ...vm, tags: { note: markup, [evil]: 'x' } });
  await page.locator('.changes .entry', { hasText: markup }).locator('.line').click();
  await page.locator('.details').waitFor();
  await page.goto(`${url}/#/vms/${vm.zonename}`);
  await page.locator('.card[data-kind=metadata]').first().waitFor();
  for (const button of await page.getByRole('button', { name: /^Show / }).all()) await button.click();
  await page.locator('.revealed').first().waitFor();
  t.equal(await page.locator('main img, main script').count(), 0);
  t.equal(await page.evaluate('typeof hacked'), 'undefined');
  t.same(complaints, []);
});

/** What axe finds that is serious or worse. It is run in the page by the debugger, which the page's policy does not bind. */
async function seriousFindings(page: Page): Promise<unknown> {
  await page.evaluate(AxeBuilder.source);
  return page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => target + ' ' + failureSummary)]))`);
}
