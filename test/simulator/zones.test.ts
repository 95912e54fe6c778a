/**
 * Zones come, run, halt and go with the sysevents of a SmartOS host, in the order of the real tools.
 */
import { existsSync, readFileSync } from 'node:fs';
import { EventEmitter, once } from 'node:events';
import tap from 'tap';
import { createSimulatedHost, vmKinds, type SimulatedHost } from '../../lib/simulator/index.js';
import { posted } from './posted.js';
import { list, run } from './run.js';

void tap.test('a zone from its creation to its end', async (t) => {
  const host = await createSimulatedHost({ vms: 0 });
  t.teardown(() => host.remove());
  let seen = 0;
  const newStates = (): unknown[] => {
    const events = posted(host, 'zones').slice(seen);
    seen += events.length;
    return events.map(({ oldstate, newstate }) => `${String(oldstate)} → ${String(newstate)}`);
  };

  const zonename = await host.createZone({ kind: 'bhyve', alias: 'db01' });
  t.same(newStates(), [
    ' → configured',
    'configured → incomplete',
    'incomplete → installed',
    'free → uninitialized',
    'uninitialized → initialized',
    'initialized → ready',
    'ready → ready',
    'ready → running',
  ]);
  t.match(await zoneadm(host, zonename), new RegExp(`^\\d+:${zonename}:running:`));
  const zoneid = host.zone(zonename).zoneid;
  const names = await list(host, 'name', '-r', `zones/${zonename}`);
  t.same(names.flat(), [`zones/${zonename}`, `zones/${zonename}/disk0`, `zones/${zonename}/disk1`]);

  await host.stop(zonename, { waitStatus: 256 });
  t.same(newStates(), [
    'running → shutting_down',
    'shutting_down → shutting_down',
    'shutting_down → shutting_down',
    'shutting_down → shutting_down',
    'shutting_down → uninitialized',
    'uninitialized → free',
  ]);
  t.match(await zoneadm(host, zonename), new RegExp(`^-:${zonename}:installed:`));
  t.match(readFileSync(host.lastExitedFile(zonename), 'utf8'), /^\d+\.\d+ 256\n$/);

  await host.start(zonename);
  t.not(host.zone(zonename).zoneid, zoneid, 'the kernel never uses a zoneid twice');
  newStates();
  await host.restartInit(zonename);
  t.match(posted(host, 'zones').at(-1), { restarts: 1, zonename, zoneid: host.zone(zonename).zoneid });
  newStates();

  await host.destroyZone(zonename);
  t.same(newStates().slice(-3), ['installed → incomplete', 'incomplete → configured', 'configured → ']);
  t.match(await run(host, 'zoneadm', '-z', zonename, 'list', '-p'), { exitCode: 1 });
  t.notOk(existsSync(host.xmlFile(zonename)));
  t.notOk(existsSync(host.path(`/zones/${zonename}`)));
  t.same(await list(host, 'name', '-r', `zones/${zonename}`), []);
  t.notMatch(readFileSync(host.path('/etc/zones/index'), 'utf8'), zonename);
});

void tap.test('every kind of VM can be created and destroyed', async (t) => {
  const host = await createSimulatedHost({ vms: 0 });
  t.teardown(() => host.remove());
  const before = await list(host, 'name', '-r');
  for (const kind of vmKinds) await host.destroyZone(await host.createZone({ kind }));
  t.same(await list(host, 'name', '-r'), before, 'no dataset is left');
  t.same(host.zonenames(), []);
});

void tap.test('a zone that gets another zonepath takes its files along', async (t) => {
  const host = await createSimulatedHost({ vms: 0 });
  t.teardown(() => host.remove());
  const zonename = await host.createZone({ boot: false });
  await host.moveZone(zonename, 'zones/elsewhere');
  t.match(await zoneadm(host, zonename), `-:${zonename}:installed:/zones/elsewhere:`);
  t.match(readFileSync(host.xmlFile(zonename), 'utf8'), 'zonepath="/zones/elsewhere"');
  t.equal(host.configFile(zonename, 'tags'), host.path('/zones/elsewhere/config/tags.json'));
  await host.setTags(zonename, { role: 'db' });
  await host.destroyZone(zonename);
  t.notOk(existsSync(host.path('/zones/elsewhere')));
  t.same(await list(host, 'name', 'zones/elsewhere'), []);
});

void tap.test('the kernel publishes a change before zoneadm shows it', async (t) => {
  const host = await createSimulatedHost({ vms: 1 });
  t.teardown(() => host.remove());
  const [zonename = ''] = host.zonenames();
  const published = new EventEmitter();
  const shown = new EventEmitter();
  host.setStateLag(() => {
    published.emit('event');
    return once(shown, 'go on');
  });
  const first = once(published, 'event');
  const stopping = host.stop(zonename);
  await first;
  t.match(posted(host, 'zones'), [{ newstate: 'shutting_down', oldstate: 'running' }]);
  t.match(await zoneadm(host, zonename), ':running:');
  host.setStateLag(0);
  shown.emit('go on');
  await stopping;
  t.match(await zoneadm(host, zonename), ':installed:');
});

void tap.test('what cannot be done is refused', async (t) => {
  const host = await createSimulatedHost({ vms: 1 });
  t.teardown(() => host.remove());
  const [zonename = ''] = host.zonenames();
  await t.rejects(host.start(zonename), {
    name: 'SimulatorError',
    message: /expected state installed, got running/,
  });
  await t.rejects(host.stop('nope'), { message: 'nope: No such zone configured' });
  await t.rejects(host.createZone({ zonename }), { message: /exists already/ });
});

async function zoneadm(host: SimulatedHost, zonename: string): Promise<string> {
  return (await run(host, 'zoneadm', '-z', zonename, 'list', '-p')).stdout;
}
