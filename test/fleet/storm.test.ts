import tap from 'tap';
import { needsNats } from './nats-server.js';
import { storm } from './storm.js';

tap.setTimeout(240_000);

void tap.test('a short storm', { ...needsNats, timeout: 240_000 }, async (t) => {
  await storm(t, { seed: 1, hosts: 2, vms: 4, actions: 64, actionsPerFault: 8, stopMs: 1_000 });
});
