import tap from 'tap';
import { createVmStore, type Commit, type VmStore } from '../../lib/cache/vm-store.js';
import { aVm } from '../vm/factories.js';

const zonename = aVm().zonename;

function loadedStore(): { store: VmStore; commits: Commit[] } {
  const store = createVmStore();
  const commits: Commit[] = [];
  store.commits.subscribe((commit) => commits.push(commit));
  store.loaded();
  return { store, commits };
}

void tap.test('before the first load is done there are VMs, but no event and no seq', (t) => {
  const store = createVmStore();
  const commits: Commit[] = [];
  store.commits.subscribe((commit) => commits.push(commit));
  store.put(aVm());
  store.put(aVm({ alias: 'web' }));
  store.put(aVm({ zonename: 'other' }));
  store.delete('other');
  t.equal(store.snapshot.value.loaded, false);
  store.loaded();
  t.same(commits, []);
  t.equal(store.snapshot.value.loaded, true);
  t.equal(store.snapshot.value.seq, 0);
  t.same([...store.snapshot.value.vms.keys()], [zonename]);
  t.equal(store.put(aVm({ alias: 'db' }))?.seq, 1, 'the first event has seq 1');
  t.end();
});

void tap.test('create, modify, delete: in order, gapless, each after it is in the snapshot', (t) => {
  const { store } = loadedStore();
  const seen: unknown[] = [];
  store.commits.subscribe(({ seq, event, stored, previous }) => {
    const { vms, seq: snapshotSeq } = store.snapshot.value;
    t.equal(vms.get(zonename), stored);
    t.equal(snapshotSeq, seq);
    t.equal(event.seq, seq);
    seen.push([seq, event.type, previous?.vm.alias, stored?.vm.alias]);
  });
  store.put(aVm({ alias: 'web' }));
  store.put(aVm({ alias: 'db' }));
  store.delete(zonename);
  store.put(aVm());
  t.same(seen, [
    [1, 'create', undefined, 'web'],
    [2, 'modify', 'web', 'db'],
    [3, 'delete', 'db', undefined],
    [4, 'create', undefined, undefined],
  ]);
  t.end();
});

void tap.test('events say what wire.md says', (t) => {
  const { store, commits } = loadedStore();
  store.put(aVm({ alias: 'web' }));
  store.put(aVm({ alias: 'db' }));
  store.delete(zonename);
  const [create, modify, gone] = commits.map(({ event }) => event);
  t.match(create, { type: 'create', zonename, uuid: zonename, date: /Z$/ });
  t.match(modify, {
    type: 'modify',
    changes: [{ path: ['alias'], action: 'changed', oldValue: 'web', newValue: 'db' }],
  });
  t.match(gone, { type: 'delete', zonename, uuid: zonename });
  const [created, modified, deleted] = commits.map(({ stored }) => stored?.vm.alias);
  t.same([created, modified, deleted], ['web', 'db', undefined]);
  t.end();
});

void tap.test('a VM that is what it was is no event, and neither is the delete of none', (t) => {
  const { store, commits } = loadedStore();
  store.put(aVm({ alias: 'web' }));
  const stored = store.snapshot.value.vms.get(zonename);
  t.equal(store.put(aVm({ alias: 'web' })), undefined);
  t.equal(store.delete('nobody'), undefined);
  t.equal(store.snapshot.value.vms.get(zonename), stored, 'its bytes are not made again');
  t.equal(store.snapshot.value.seq, 1);
  t.equal(commits.length, 1);
  t.end();
});

void tap.test('its bytes are its JSON', (t) => {
  const { store } = loadedStore();
  store.put(aVm({ alias: 'wéb' }));
  t.same(JSON.parse(store.snapshot.value.vms.get(zonename)?.bytes.toString() ?? ''), aVm({ alias: 'wéb' }));
  t.end();
});

void tap.test('close completes the stream and the snapshot', (t) => {
  const { store } = loadedStore();
  const completed: string[] = [];
  store.commits.subscribe({ complete: () => completed.push('commits') });
  store.snapshot.subscribe({ complete: () => completed.push('snapshot') });
  store.close();
  t.same(completed, ['commits', 'snapshot']);
  t.end();
});
