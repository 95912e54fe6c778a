/** `npm run screenshots`: the pictures of README, taken of the page on a simulated host to which things happen. */
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { NEVER, lastValueFrom, take } from 'rxjs';
import { startDaemon } from '../../lib/daemon.js';
import { createSimulatedHost, lifelike } from '../../lib/simulator/index.js';
import { startBrowser } from '../page/browser.js';

const directory = fileURLToPath(new URL('../../../docs/', import.meta.url));
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
