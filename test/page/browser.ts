/** Headless Chromium for the tests of the page: a profile of its own, which goes with it, and no word to the network. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type BrowserContextOptions } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** For tap: why the tests of the page cannot be run here, or false. */
export const skip = existsSync(executablePath) ? false : `no ${executablePath} (apt-get install chromium)`;

export interface Browser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** Starts one. */
export async function startBrowser(options: BrowserContextOptions = {}): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'vminfod-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
    env: { ...process.env, TMPDIR: profile }, // It leaves sockets there when it is killed.
    viewport: { width: 1400, height: 860 },
    ...options,
  });
  return {
    context,
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
