/** `npm run demo:fleet`: hosts and their events, and nothing is left of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import tap from 'tap';
import { FleetClient } from '../../lib/fleet/client.js';
import { eventually } from '../daemon/harness.js';
import { processesOf, signal } from '../processes.js';
import { needsNats } from './nats-server.js';

const demo = fileURLToPath(new URL('../../sbin/demo-fleet.js', import.meta.url));

void tap.test(
  'the demo shows hosts, and leaves nothing behind',
  { ...needsNats, timeout: 120_000 },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'demo-fleet-'));
    t.teardown(() => {
      for (const pid of processesOf(directory)) signal(Number(pid), 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    });
    const child = spawn(process.execPath, [demo, '--hosts', '2', '--vms', '3'], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const ended = once(child, 'close');
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await eventually(() => /^\d\d:\d\d:\d\d \S+ .*\n/m.test(output), 'something happens');

    const fleet = await FleetClient.connect({ servers: [/nats:\S+/.exec(output)?.[0] ?? ''], name: 'test' });
    await eventually(async () => (await fleet.hosts()).length === 2, 'both hosts publish');
    for await (const event of fleet.events()) {
      if (event.type !== 'modify') continue;
      t.comment(`a change was seen ${Date.now() - Date.parse(event.date)} ms after it was made`);
      break;
    }
    await fleet.close();
    t.ok(processesOf(directory).length > 2, 'a server and two publishers');

    child.kill('SIGINT');
    t.strictSame(await ended, [0, null]);
    t.strictSame(processesOf(directory), []);
    t.strictSame(readdirSync(directory), []);
  },
);
