/** The fleet over HTTP, for any client of one host. */
import tap from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { run } from '../cli/run.js';
import { answersOf } from '../daemon/harness.js';
import { cutOff } from './cut-off.js';
import {
  expectedVms,
  inStep,
  otherServer,
  serveFleet,
  startHost,
  startPublisher,
  startTestNats,
} from './harness.js';
import { needsNats } from './nats-server.js';

tap.setTimeout(200_000);

void tap.test('a client of one host is a client of all', needsNats, async (t) => {
  const { server, nats } = await startTestNats(t);
  const first = await startHost(t);
  const second = await startHost(t);
  const other = { ...second, host: otherServer(second.host, 2) };
  await startPublisher(t, { server, ...first });
  await startPublisher(t, { server, ...other });
  await inStep(nats, [first, other]);
  const { url } = await serveFleet(t, server);
  const client = new VminfodClient({ url, name: 'test' });
  t.teardown(() => client.close());
  await client.ready({ timeoutMs: 60_000 });

  const vms = await client.vms();
  const published = await expectedVms([first, other]);
  t.equal(vms.length, published.size / 2, 'of a VM on two hosts, one');
  const running = vms.find(({ state }) => state === 'running');
  const zonename = running?.zonename ?? '';
  t.strictSame(await client.vms({ server_uuid: running?.server_uuid ?? '', zonename }), [running]);
  const shownOn = [first, other].find(({ host }) => host.server === running?.server_uuid) ?? first;
  const change = { path: ['alias'], newValue: 'over http' };
  const event = await client.waitForChanges({ zonename }, [change], {
    change: () => shownOn.daemon.host.updateConfig(zonename, { attrs: { alias: 'over http' } }),
  });
  t.equal((event as { vm: VmObject }).vm.alias, 'over http');
  // When one copy stops, the other is shown.
  const nowOn = shownOn === first ? other : first;
  const move = { path: ['server_uuid'], newValue: nowOn.host.server };
  const moved = await client.waitForChanges({ zonename }, [move], {
    change: () => shownOn.daemon.host.stop(zonename),
  });
  t.match(moved, { type: 'modify', vm: { state: 'running' } });

  const { get } = answersOf(url);
  const status = (await get('/status')).json as {
    state: string;
    numVms: number;
    sources: { state: string }[];
  };
  t.match(status, {
    state: 'running',
    numVms: vms.length,
    sources: [{ state: 'running' }, { state: 'running' }],
  });
  t.match((await get('/metrics')).text, /vminfod_source_up\{source="[^"]+"\} 1/);
  t.match((await get('/changes')).json, { events: [{ type: 'modify', zonename }, { type: 'modify' }] });
  t.equal((await get(`/vms/${zonename}?sync=true`)).status, 400);
  t.equal((await get('/usage')).status, 404);
  t.match((await run(url, ['list', '-o', 'host,alias', 'stale!~.'])).stdout, /^HOST.*\n\S+ +\S/);

  // The same without the gateway.
  const history = await run('', ['-F', server.url, 'history', '-j', zonename]);
  const past = history.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  t.match(past[0], { type: 'create' });
  t.match(past.at(-1), { type: 'modify' });
  t.equal(history.stderr, '');
  t.match((await run('', ['-F', server.url, 'history', '-n', '50'])).stderr, /of each VM only its last/);
  t.match((await run('', ['-F', server.url, 'top', '-1'])).stdout, /over http/);

  await server.crash();
  const alone = (await get('/status')).json as typeof status;
  t.match(alone, { numVms: vms.length, sources: [{ name: 'NATS', state: 'degraded' }, {}, {}] });
  t.match((await get('/metrics')).text, /vminfod_source_up\{source="NATS"\} 0/);
  t.equal((await client.vms()).length, vms.length, 'without NATS the last state is served');
  await server.start();
  await client.waitForChanges({ zonename }, [{ path: ['alias'], newValue: 'and back' }], {
    change: () => nowOn.daemon.host.updateConfig(zonename, { attrs: { alias: 'and back' } }),
  });
});

void tap.test(
  'a reader that is cut off has every last state, nothing twice or backwards',
  { ...needsNats, timeout: 180_000 },
  async (t) => {
    const { server, nats } = await startTestNats(t);
    const { url } = await serveFleet(t, server);
    // 100 of each: npm run test:fleet -- --cuts 100.
    await cutOff(t, { server, nats, url, seed: 1, cuts: { http: 10, nats: 3 } });
  },
);
