import tap from 'tap';
import { redaction, type RedactionOptions } from '../../lib/fleet/redact.js';
import { asJson } from '../../lib/vm/json.js';
import { aVm } from '../client/a-vm.js';

const secret = {
  customer_metadata: { root_authorized_keys: 'ssh-ed25519', 'user-script': 'hunter2', role: 'db' },
  internal_metadata: { root_pw: 'hunter2' },
  vnc_password: 'hunter2',
  spice_password: 'hunter2',
  tags: { role: 'db', api_token: 'hunter2', 'my-key': 'hunter2' },
};

void tap.test('what is secret does not leave the host', (t) => {
  const table: readonly [what: string, RedactionOptions, kept: object, gone: readonly string[]][] = [
    [
      'by default',
      {},
      { alias: 'a', tags: { role: 'db' } },
      ['customer_metadata', 'internal_metadata', 'vnc_password', 'spice_password'],
    ],
    [
      'included: what is secret in it stays out',
      { include: ['customer_metadata'] },
      { customer_metadata: { role: 'db' } },
      ['internal_metadata'],
    ],
    [
      'included, and a program in it',
      { include: ['customer_metadata', 'user-script'] },
      { customer_metadata: { 'user-script': 'hunter2', role: 'db' } },
      ['internal_metadata'],
    ],
    ['included by name', { include: ['vnc_password'] }, { vnc_password: 'hunter2' }, ['spice_password']],
    ['excluded', { exclude: ['tags'] }, { alias: 'a' }, ['tags', 'vnc_password']],
  ];
  for (const [what, options, kept, gone] of table) {
    const vm = asJson(redaction(options)(aVm({ alias: 'a', ...secret })));
    for (const [name, value] of Object.entries(kept)) t.strictSame(vm[name], value, `${what}: ${name}`);
    for (const name of gone) t.notOk(Object.hasOwn(vm, name), `${what}: no ${name}`);
  }
  t.notMatch(JSON.stringify(redaction()(aVm(secret))), /hunter2|ssh-ed25519/);
  t.end();
});
