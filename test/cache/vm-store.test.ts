import tap from 'tap';
import { VmStore, type Commit } from '../../lib/cache/vm-store.js';
import { aVm } from '../vm/factories.js';

const zonename = aVm().zonename;

function loadedStore(): VmStore {
  const store = new VmStore();
  store.loaded();
  return store;
}

void tap.test('before the first load is done there are VMs, but no event and no seq', (t) => {
  const store = new VmStore();
  t.equal(store.put(aVm()), undefined);
  t.equal(store.put(aVm({ alias: 'web' })), undefined);
  t.equal(store.put(aVm({ zonename: 'other' })), undefined);
  t.equal(store.delete('other'), undefined);
  t.equal(store.snapshot.value.loaded, false);
  store.loaded();
  t.same(store.log.after(0), []);
  t.equal(store.snapshot.value.loaded, true);
  t.equal(store.snapshot.value.seq, 0);
  t.same([...store.snapshot.value.vms.keys()], [zonename]);
  t.equal(store.put(aVm({ alias: 'db' }))?.seq, 1, 'the first event has seq 1');
  t.end();
});

void tap.test(
  'create, modify, delete: in order, gapless, each in the snapshot and the log once it is told',
  (t) => {
    const store = loadedStore();
    const seen: unknown[] = [];
    const see = (commit: Commit | undefined) => {
      if (commit === undefined) throw new Error('it is a change');
      const { seq, event, stored, previous } = commit;
      t.equal(store.snapshot.value.vms.get(zonename), stored);
      t.equal(store.snapshot.value.seq, seq);
      t.equal(event.seq, seq);
      t.equal(store.log.seq, seq);
      seen.push([seq, event.type, previous?.vm.alias, stored?.vm.alias]);
    };
    see(store.put(aVm({ alias: 'web' })));
    see(store.put(aVm({ alias: 'db' })));
    see(store.delete(zonename));
    see(store.put(aVm()));
    t.same(seen, [
      [1, 'create', undefined, 'web'],
      [2, 'modify', 'web', 'db'],
      [3, 'delete', 'db', undefined],
      [4, 'create', undefined, undefined],
    ]);
    t.end();
  },
);

void tap.test('an event says what happened to which VM', (t) => {
  const store = loadedStore();
  const create = store.put(aVm({ alias: 'web' }))?.event;
  const modify = store.put(aVm({ alias: 'db' }), 7);
  const gone = store.delete(zonename)?.event;
  t.match(create, { type: 'create', zonename, uuid: zonename, date: /Z$/ });
  t.match(modify, {
    noticedAt: 7,
    event: {
      type: 'modify',
      changes: [{ path: ['alias'], action: 'changed', oldValue: 'web', newValue: 'db' }],
    },
  });
  t.match(gone, { type: 'delete', zonename, uuid: zonename });
  t.end();
});

void tap.test('a snapshot stays as it was, whatever happens after it', (t) => {
  const store = loadedStore();
  const empty = store.snapshot.value;
  store.put(aVm({ alias: 'web' }));
  const one = store.snapshot.value;
  store.put(aVm({ alias: 'db' }));
  store.put(aVm({ zonename: 'other' }));
  store.delete(zonename);
  t.same([empty.seq, empty.vms.size, [...empty.vms.keys()]], [0, 0, []]);
  t.same([one.seq, one.vms.size, one.vms.get(zonename)?.vm.alias], [1, 1, 'web']);
  t.same([...store.snapshot.value.vms.keys()], ['other']);
  t.end();
});

void tap.test('a VM that is what it was is no event, and neither is the delete of none', (t) => {
  const store = loadedStore();
  store.put(aVm({ alias: 'web' }));
  const stored = store.snapshot.value.vms.get(zonename);
  t.equal(store.put(aVm({ alias: 'web' })), undefined);
  t.equal(store.delete('nobody'), undefined);
  t.equal(store.snapshot.value.vms.get(zonename), stored, 'its bytes are not made again');
  t.equal(store.snapshot.value.seq, 1);
  t.end();
});

void tap.test('its bytes are its JSON', (t) => {
  const store = loadedStore();
  store.put(aVm({ alias: 'wéb' }));
  t.same(JSON.parse(store.snapshot.value.vms.get(zonename)?.bytes.join('') ?? ''), aVm({ alias: 'wéb' }));
  t.end();
});
