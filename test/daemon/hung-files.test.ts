/** Zones whose file system hangs, as on a suspended pool: the daemon goes on for all others, and is right again afterwards. */
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import tap from 'tap';
import { hangingDirectory, noBindfs, type HangingDirectory } from '../bindfs.js';
import { changeOf, eventsSufficed, isA } from './facts.js';
import { eventually } from './harness.js';
import { startOwnProcess } from './own-process.js';

/** A daemon that a hung file system holds up answers nothing until that goes on; a busy machine takes a moment. */
const patienceMs = 2_500;

for (const count of [1, 3]) {
  void tap.test(
    `${count} zones hang: others are as ever, and all is right again`,
    { skip: noBindfs, timeout: 120_000 },
    async (t) => {
      const directories: HangingDirectory[] = [];
      const paths: string[] = [];
      const daemon = await startOwnProcess(t, {
        vms: 12,
        prepare: async (host) => {
          for (const zonename of host.zonenames().slice(0, count)) {
            const path = host.path(host.zone(zonename).zonepath);
            paths.push(path);
            directories.push(await hangingDirectory(path));
          }
        },
      });
      t.teardown(async () => {
        for (const directory of directories) await directory.remove();
      });
      const { host } = daemon;
      const names = host.zonenames();
      const hanging = names.slice(0, count);
      const [aliased = '', tagged = '', resized = '', stopped = ''] = names
        .slice(count)
        .filter(isRunningContainer);
      function isRunningContainer(zonename: string): boolean {
        const { state, config } = host.zone(zonename);
        return state === 'running' && !['kvm', 'bhyve'].includes(config.brand);
      }
      const listening = await daemon.listen();
      const before = await daemon.vms();

      for (const directory of directories) directory.hang();
      const pings: number[] = [];
      const over = new AbortController();
      const pinging = (async () => {
        while (!over.signal.aborted) {
          const startedAt = performance.now();
          const { status } = await daemon.get('/ping');
          pings.push(status === 200 ? performance.now() - startedAt : Infinity);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      })();
      await daemon.rescan();
      await eventually(async () => (await daemon.status()).files.hung.length === count, 'they hang');
      t.same((await daemon.status()).files.hung.map(({ zonename }) => zonename).sort(), [...hanging].sort());
      t.match(await daemon.status(), { files: { stuck: count, threads: count + 1, stalled: false } });

      await host.updateConfig(aliased, { attrs: { alias: 'other' } });
      await host.setTags(tagged, { role: 'other' });
      await host.zfs('set', 'quota=77g', `zones/${resized}`);
      await host.stop(stopped);
      const created = await host.createZone();
      await listening.until(changeOf(aliased, 'alias', 'other'));
      await listening.until(changeOf(tagged, 'tags.role', 'other'));
      await listening.until(changeOf(resized, 'quota', 77));
      await listening.until(changeOf(stopped, 'state', 'stopped'));
      await listening.until(isA('create', created));
      for (const zonename of hanging) {
        await host.updateConfig(zonename, { attrs: { alias: `still-${zonename.slice(0, 8)}` } });
        await listening.until(changeOf(zonename, 'alias', `still-${zonename.slice(0, 8)}`));
      }
      await daemon.rescan();
      for (const zonename of hanging) {
        const { tags } = before.find((vm) => vm.zonename === zonename) ?? {};
        t.match(await daemon.vm(zonename), { tags }, 'what was last good stays');
      }
      const { loadErrors } = await daemon.status();
      t.same([...new Set(loadErrors.map(({ zone }) => zone))].sort(), [...hanging].sort());
      over.abort();
      await pinging;
      pings.sort((a, b) => a - b);
      t.comment(
        `${pings.length} pings: half within ${pings[pings.length >> 1]?.toFixed(1)} ms, all within ${pings.at(-1)?.toFixed(1)} ms`,
      );
      const longestMs = pings.at(-1) ?? Infinity;
      t.ok(
        longestMs < patienceMs,
        `every /ping is answered while they hang, the slowest within ${longestMs} ms`,
      );

      // Below what hangs, where no watch sees it.
      for (const path of paths) writeFileSync(`${path}.below/config/tags.json`, '{"role":"unseen"}');
      for (const directory of directories) directory.goOn();
      for (const zonename of hanging) await listening.until(changeOf(zonename, 'tags.role', 'unseen'));
      for (const zonename of hanging) {
        await host.setTags(zonename, { role: 'again' });
        await listening.until(changeOf(zonename, 'tags.role', 'again'));
      }
      await eventually(
        async () => (await daemon.status()).loadErrors.length === 0,
        'nothing is wrong any more',
      );
      t.match(await daemon.status(), { files: { threads: 1, stuck: 0, hung: [], stalled: false } });
      await eventsSufficed(t, daemon, listening);
    },
  );
}
