/** Bad input: a clear record in /status and log, and the other VMs are unaffected. */
import tap, { type Test } from 'tap';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import { eventually, startTestDaemon, type TestDaemon } from './harness.js';

/** The first zone is spoilt before the daemon starts. */
async function withSpoiltZone(
  t: Test,
  spoil: (host: SimulatedHost, zonename: string) => unknown,
): Promise<TestDaemon & { zonename: string }> {
  let zonename = '';
  const test = await startTestDaemon(t, {
    prepare: async (host) => {
      [zonename = ''] = host.zonenames();
      await spoil(host, zonename);
    },
  });
  return { ...test, zonename };
}

async function expectLoadError(
  t: Test,
  test: TestDaemon,
  zonename: string,
  input: string,
  error: RegExp,
): Promise<void> {
  const { loadErrors } = await test.status();
  t.match(loadErrors, [{ zone: zonename, input, error, since: String, nextRetry: String }]);
  t.ok(
    test.log.some(
      ({ level, zonename: zone, msg }) => level === 40 && zone === zonename && error.test(String(msg)),
    ),
    'the log says so',
  );
}

const badXml = {
  malformed: '<?xml version="1.0"?><zone name="x"><attr </zone>',
  empty: '',
  'cut short': '<?xml version="1.0"?><zone name="x"><attr name="alias" type="string" value="Zm9v"/>',
  'an entity bomb':
    '<?xml version="1.0"?><!DOCTYPE zone [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><zone name="&b;"/>',
};

for (const [name, text] of Object.entries(badXml)) {
  void tap.test(`a zone XML that is ${name}, at boot`, async (t) => {
    const test = await withSpoiltZone(t, (host, zonename) => host.corrupt(host.xmlFile(zonename), text));
    const { zonename } = test;
    await expectLoadError(t, test, zonename, 'xml', /\/etc\/zones\/.*\.xml: is not a zone XML: /);
    t.equal((await test.vms()).length, 2);
    t.match(await test.get(`/vms/${zonename}`), {
      status: 503,
      json: { code: 'LoadError', message: String },
    });
    await test.host.rewriteXml(zonename);
    await eventually(async () => (await test.get(`/vms/${zonename}`)).status === 200, 'the zone is loaded');
    t.strictSame((await test.status()).loadErrors, []);
  });
}

void tap.test('an unknown brand is treated as joyent, with a warning', async (t) => {
  const test = await withSpoiltZone(t, (host, zonename) =>
    host.updateConfig(zonename, (config) => {
      config.brand = 'sn1';
    }),
  );
  t.match(await test.vm(test.zonename), { brand: 'sn1', state: String, nics: Array, hvm: false });
  t.equal(test.log.filter(({ msg }) => String(msg).includes('unknown brand sn1')).length, 1);
});

void tap.test('unknown attrs are left out and logged once', async (t) => {
  const test = await withSpoiltZone(t, async (host, zonename) => {
    await host.updateConfig(zonename, { attrs: { 'flux-capacitor': '1.21' } });
  });
  t.notOk(JSON.stringify(await test.vm(test.zonename)).includes('flux'));
  t.equal(test.log.filter(({ msg }) => String(msg).includes('flux-capacitor')).length, 1);
});

void tap.test('truncated JSON at boot counts as {} and is on record', async (t) => {
  const test = await withSpoiltZone(t, (host, zonename) =>
    host.corrupt(host.configFile(zonename, 'tags'), '{"role": "d'),
  );
  t.strictSame((await test.vm(test.zonename)).tags, {});
  await expectLoadError(t, test, test.zonename, 'tags', /is not JSON/);
  t.equal((await test.vms()).length, 3);
});

void tap.test('a __proto__ key in tags is a key like any other', async (t) => {
  const test = await withSpoiltZone(t, (host, zonename) =>
    host.corrupt(host.configFile(zonename, 'tags'), '{"__proto__": {"polluted": true}, "role": "db"}'),
  );
  const { text } = await test.get(`/vms/${test.zonename}`);
  t.match(text, '"tags":{"__proto__":{"polluted":true},"role":"db"}');
  t.notOk('polluted' in {});
  const listening = await test.listen();
  await test.host.setTags(test.zonename, { role: 'web' });
  await listening.until(({ type }) => type === 'modify');
});

void tap.test('a zonename that is not the UUID', async (t) => {
  const test = await startTestDaemon(t, {
    prepare: (host) => host.createZone({ zonename: 'builder.example', alias: 'odd' }),
  });
  const vm = await test.vm('builder.example');
  t.match(vm, { zonename: 'builder.example', alias: 'odd', uuid: /^[0-9a-f-]{36}$/ });
  const listening = await test.listen();
  await test.host.setTags('builder.example', { role: 'odd' });
  t.match(await listening.until(({ zonename }) => zonename === 'builder.example'), {
    type: 'modify',
    uuid: vm.uuid,
  });
});

void tap.test('a zoneadm line with too few fields costs that zone alone', async (t) => {
  const zone = '11111111-2222-4333-8444-555555555555';
  const test = await startTestDaemon(t, {
    prepare: (host) => {
      for (const asked of [{ full: true }, { match: zone, exitCode: 0 }]) {
        host.setFault('zoneadm', { ...asked, stdout: `-:${zone}:installed:/zones/${zone}` });
      }
      return undefined;
    },
  });
  t.equal((await test.vms()).length, 3);
  await expectLoadError(t, test, zone, 'record', /expected 8 fields/);
});

void tap.test('a zfs dataset with a space in its name', async (t) => {
  const test = await startTestDaemon(t, { prepare: (host) => host.zfs('create', 'zones/name with space') });
  const listening = await test.listen();
  const [zonename = ''] = test.host.zonenames();
  await test.host.zfs('set', 'quota=1g', 'zones/name with space');
  await test.host.zfs('set', 'quota=88g', `zones/${zonename}`);
  t.match(await listening.until(({ type }) => type === 'modify'), { zonename });
  t.strictSame((await test.status()).loadErrors, []);
});

void tap.test('an empty host serves no VMs, and then the first', async (t) => {
  const test = await startTestDaemon(t, { vms: 0 });
  t.strictSame(await test.vms(), []);
  const listening = await test.listen();
  t.equal(listening.snapshot.size, 0);
  const zonename = await test.host.createZone();
  t.match(await listening.until(({ type }) => type === 'create'), { zonename });
});

void tap.test('a zone that vanishes while it is read', async (t) => {
  const test = await startTestDaemon(t);
  const listening = await test.listen();
  const [zonename = ''] = test.host.zonenames();
  test.host.setFault('kstat', { delayMs: 200 });
  await test.host.reboot(zonename);
  await test.host.destroyZone(zonename);
  await listening.until((event) => event.type === 'delete' && event.zonename === zonename);
  await eventually(async () => (await test.status()).queue.idle, 'the daemon has nothing to read');
  t.equal((await test.get(`/vms/${zonename}`)).status, 404);
  t.strictSame((await test.status()).loadErrors, []);
});
