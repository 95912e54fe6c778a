/** The client against the real daemon on a simulated host. */
import { pino } from 'pino';
import { NEVER } from 'rxjs';
import tap, { type Test } from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import { startDaemon, type Daemon } from '../../lib/daemon.js';
import { createRandom, createSimulatedHost } from '../../lib/simulator/index.js';

/** A host with a daemon that can be restarted on its port, and a client. */
async function start(t: Test) {
  const host = await createSimulatedHost({ vms: 2 });
  const options = {
    root: host.root,
    listen: '127.0.0.1',
    rescanIntervalMs: 2 ** 31 - 1,
    log: pino({ level: 'silent' }),
    requests: NEVER,
  };
  let daemon: Daemon = await startDaemon({ ...options, port: 0 });
  const { url } = daemon;
  const port = Number(new URL(url).port);
  const client = new VminfodClient({ url, name: 'tester' });
  const down = async () => {
    await daemon.close();
    await daemon.ended;
  };
  const restart = async () => {
    await down();
    daemon = await startDaemon({ ...options, port });
  };
  t.teardown(async () => {
    await client.close();
    await down();
    await host.remove();
  });
  return { host, client, restart };
}

/** ROUNDS=500 for a long look; a restart in seven of them takes a second or two. */
const rounds = Number(process.env['ROUNDS'] ?? 100);

void tap.test(
  `${rounds} times change-then-wait, with restarts in between: no hang, no false success`,
  async (t) => {
    const { host, client, restart } = await start(t);
    const random = createRandom(1);
    const [zonename = ''] = host.zonenames();
    let restarts = 0;
    for (let round = 1; round <= rounds; round++) {
      let written = false;
      let restarting: Promise<void> | undefined;
      const event = await client.waitForChanges(
        { zonename },
        { path: ['tags', 'round'], newValue: round },
        {
          timeoutMs: 30_000,
          change: async () => {
            const when = random.integer(0, 20);
            if (when === 0) restarting = restart();
            if (when === 1) await restart();
            await host.setTags(zonename, { round });
            written = true;
            if (when === 2) restarting = restart();
            if (when <= 2) restarts++;
          },
        },
      );
      t.ok(written);
      t.match(event, { type: 'modify', vm: { tags: { round } } });
      await restarting;
    }
    t.comment(`${restarts} restarts`);
    t.ok(restarts > rounds / 20);
  },
);
