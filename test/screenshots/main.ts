/** `npm run screenshots`: the pictures of README, taken of the page and of `vminfo top` on a simulated host to which things happen. */
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AnsiUp } from 'ansi_up';
import { pino } from 'pino';
import { NEVER, lastValueFrom, take } from 'rxjs';
import { startDaemon } from '../../lib/daemon.js';
import { createSimulatedHost, lifelike } from '../../lib/simulator/index.js';
import { Terminal } from '../cli/top/terminal.js';
import { startBrowser } from '../page/browser.js';

const directory = fileURLToPath(new URL('../../../docs/', import.meta.url));
const vminfo = fileURLToPath(new URL('../../sbin/vminfo.cjs', import.meta.url));
const terminalStyle =
  'body { margin: 0 } pre { display: inline-block; margin: 0; padding: 12px; font: 14px/1.25 monospace; background: #16181d; color: #d8dee9 }';
const maxBytes = 200_000;
const seed = 1;
const activities = 24;

mkdirSync(directory, { recursive: true });
const host = await createSimulatedHost({ vms: 12, seed });
const daemon = await startDaemon({
  root: host.root,
  listen: '127.0.0.1',
  port: 0,
  rescanIntervalMs: 2 ** 31 - 1,
  log: pino({ level: 'silent' }),
  requests: NEVER,
});
const browser = await startBrowser({ viewport: { width: 1400, height: 760 } });
try {
  const [page = await browser.context.newPage()] = browser.context.pages();
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${daemon.url}/`);
  await page.locator('.body .row').first().waitFor();
  await lastValueFrom(lifelike(host, { seed, createAndDestroy: false }).pipe(take(activities)));
  await page.locator('.body .row[data-mark]').first().waitFor();
  await shoot('page');

  await page.emulateMedia({ colorScheme: 'dark' });
  await page.locator('.body .row[data-mark] a').first().click();
  await page.locator('.card').first().waitFor();
  await shoot('page-vm');

  await using terminal = await Terminal.open({ columns: 118, rows: 30 });
  await terminal.type(`clear; ${process.execPath} ${vminfo} --url ${daemon.url} top`);
  await terminal.press('Enter');
  await terminal.until(/connected/);
  await lastValueFrom(lifelike(host, { seed: seed + 1, createAndDestroy: false }).pipe(take(4)));
  await terminal.press('Down', 'Down');
  await terminal.until(/● \S+/);
  const html = new AnsiUp().ansi_to_html((await terminal.screen({ styles: true })).trimEnd());
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('about:blank');
  await page.setContent(`<style>${terminalStyle}</style><pre>${html}</pre>`);
  const { width = 0, height = 0 } = (await page.locator('pre').boundingBox()) ?? {};
  await page.setViewportSize({ width: Math.ceil(width), height: Math.ceil(height) });
  await shoot('top');
  await terminal.press('q');

  async function shoot(name: string): Promise<void> {
    const path = `${directory}${name}.png`;
    await page.screenshot({ path });
    const { size } = statSync(path);
    process.stdout.write(`docs/${name}.png ${size} bytes\n`);
    if (size > maxBytes) throw new Error(`docs/${name}.png has ${size} bytes, more than ${maxBytes}`);
  }
} finally {
  await browser.close();
  await daemon.close();
  await daemon.ended;
  await host.remove();
}
