/** What is secret of a VM. */
import tap from 'tap';
import { diff } from '../../lib/vm/diff.js';
import type { VmEvent } from '../../lib/vm/event.js';
import { isSecret, mask, maskEvent, maskVm, withoutSecrets } from '../../lib/vm/secrets.js';
import { aVm } from './factories.js';

void tap.test('which paths are secret', (t) => {
  for (const path of [
    ['internal_metadata', 'anything'],
    ['internal_metadata', 'a', 'b'],
    ['customer_metadata', 'root_pw'],
    ['customer_metadata', 'mysqlPassword'],
    ['customer_metadata', 'DB_PASSWORD'],
    ['customer_metadata', 'root_authorized_keys'],
    ['customer_metadata', 'api-key'],
    ['customer_metadata', 'sshKey'],
    ['customer_metadata', 'auth.token'],
    ['customer_metadata', 'client_secret'],
    ['customer_metadata', 'user-script'],
    ['customer_metadata', 'passwords', 'inner'],
    ['tags', 'token'],
    ['vnc_password'],
    ['spice_password'],
  ])
    t.equal(isSecret(path), true, path.join('.'));
  for (const path of [
    ['internal_metadata'],
    ['internal_metadata_namespaces'],
    ['customer_metadata', 'motd'],
    ['customer_metadata', 'monkey'],
    ['customer_metadata', 'keyboard'],
    ['customer_metadata', 'compass'],
    ['tags', 'role'],
    ['alias'],
    ['nics', null, 'ip'],
  ])
    t.equal(isSecret(path), false, path.join('.'));
  t.end();
});

const vm = aVm({
  alias: 'db',
  vnc_password: 'sesame1',
  internal_metadata: { root_pw: 'sesame2', deep: { er: ['sesame3'] } },
  customer_metadata: { motd: 'hello', api_key: 'sesame4' },
});

void tap.test('a VM masked, and without', (t) => {
  const masked = maskVm(vm);
  t.notMatch(JSON.stringify(masked), /sesame/);
  t.strictSame(masked.customer_metadata, { motd: 'hello', api_key: mask });
  t.strictSame(masked.internal_metadata, { root_pw: mask, deep: mask });
  t.equal(masked.alias, 'db');
  const bare = withoutSecrets(vm);
  t.strictSame(bare.internal_metadata, {});
  t.strictSame(bare.customer_metadata, { motd: 'hello' });
  t.notOk('vnc_password' in bare);
  const plain = aVm();
  t.equal(maskVm(plain), plain, 'what has none is not copied');
  t.end();
});

void tap.test('an event masked: its VM and its changes, whole objects among them', (t) => {
  const event: VmEvent = {
    type: 'modify',
    date: '2026-11-27T00:00:00.000Z',
    zonename: vm.zonename,
    uuid: vm.uuid,
    vm,
    changes: [
      ...diff(aVm({ internal_metadata: { root_pw: 'sesame0' } }), vm),
      {
        prettyPath: 'customer_metadata',
        path: ['customer_metadata'],
        action: 'added',
        newValue: { token: 'sesame5' },
      },
    ],
  };
  t.notMatch(JSON.stringify(maskEvent(event)), /sesame/);
  t.match(JSON.stringify(maskEvent(event)), /root_pw/);
  t.end();
});
