/** The effects of a fact: commits and follow-up requests. */
import tap from 'tap';
import { noOccasion, zoneRequest, type DatasetRequest, type Request } from '../../lib/cache/requests.js';
import type { Taken } from '../../lib/cache/take.js';
import { backoffLimits, goneRetriesMs, newstateRetriesMs } from '../../lib/config.js';
import { zoneFiles, zoneInputs } from '../../lib/vm/inputs.js';
import { aDataset, someInputs, someUuid } from '../vm/factories.js';
import { aRequest, aState, anEmptyState, plain, someRoot as root } from './some-state.js';

const { record, xml } = someInputs();
const bad = new Error('bad');

function paths({ commits }: Taken): unknown {
  return commits.map(({ event }) =>
    event.type === 'modify' ? event.changes.map(({ prettyPath }) => prettyPath) : event.type,
  );
}

function asked({ followUps }: Taken): unknown {
  return plain(followUps.map(({ request }) => request));
}

const aWaiter = () => ({ began: () => undefined, ended: () => undefined });
const tags = (role: string) => ({ tags: { value: { role }, mtimeMs: 1 } });
const theRoot = (quota: number, mountpoint = record.zonepath) =>
  aDataset({ name: root, mountpoint, quota: quota * 2 ** 30 });

void tap.test('a new zone: watched, then its files, then its datasets, and it appears whole', (t) => {
  const { state, zone, datasets } = aState();
  const zonename = 'new';
  const found = zone(
    2,
    { record: { ...record, zonename, zonepath: '/zones/new' }, kstat: undefined },
    { zonename, noticedAt: 9 },
  );
  t.same(found.watches, [{ type: 'watch', zonename, zonepath: '/zones/new' }]);
  t.match(asked(found), [{ lane: 'files', zonename, inputs: [...zoneFiles].sort() }]);
  const files = zone(3, { xml, tags: undefined }, { zonename, noticedAt: 9 });
  t.same(files.commits, [], 'not without its datasets');
  t.match(asked(files), [{ name: 'zones/new', whole: true }, { name: 'zones/new/data@indestructible' }]);
  t.ok(
    files.followUps.every(({ request }) => request.noticedAt === 9),
    'for whoever noticed it',
  );
  const ends = files.followUps.map(({ request }) => request);
  const whole = ['zones/new'];
  const listed = datasets(
    4,
    { whole, datasets: [aDataset({ name: 'zones/new' })], missing: ['zones/new/data@indestructible'] },
    ends,
  );
  t.same(paths(listed), ['create']);
  t.match(listed.commits, [{ noticedAt: 9, stored: { vm: { zonename, zfs_filesystem: 'zones/new' } } }]);
  t.equal(state.hasVm(zonename), true);
  t.end();
});

void tap.test('what is being read of a new zone for one is read once more for another', (t) => {
  const { zone, datasets } = aState();
  const zonename = 'new';
  const [one, other] = [aWaiter(), aWaiter()];
  const itsRecord = { record: { ...record, zonename, zonepath: '/zones/new' }, kstat: undefined };
  const waitedFor = ({ followUps }: Taken) =>
    followUps.map(({ request }) => [request.lane, request.waiters.map((each) => (each === one ? 1 : 2))]);
  t.same(waitedFor(zone(2, itsRecord, { zonename, waiters: [one] })), [['files', [1]]]);
  t.same(waitedFor(zone(3, itsRecord, { zonename, waiters: [other] })), [['files', [2]]]);
  const files = zone(4, { xml, tags: undefined }, { zonename, waiters: [one] });
  t.same(waitedFor(files).slice(0, 1), [['dataset', [1]]]);
  t.same(waitedFor(zone(5, itsRecord, { zonename, waiters: [other] })).slice(0, 1), [['dataset', [2]]]);
  t.same(waitedFor(zone(6, itsRecord, { zonename, waiters: [other] })), [], 'once for each');
  const missing = ['zones/new/data@indestructible'];
  const listing = { whole: ['zones/new'], datasets: [aDataset({ name: 'zones/new' })], missing };
  const ends = files.followUps.map(({ request }) => request);
  t.same(paths(datasets(7, listing, ends)), ['create'], 'shown as soon as it is whole');
  t.end();
});

void tap.test('after an XML that was read by itself, whether the state changed with it is asked', (t) => {
  const { zone } = aState();
  const replaced = zone(2, { xml: { ...xml, mtimeMs: 2 } }, { noticedAt: 9 });
  t.match(asked(replaced), [{ lane: 'zone', zonename: someUuid, inputs: ['kstat', 'record'] }]);
  t.match(replaced.followUps, [{ request: { noticedAt: 9 } }]);
  t.same(asked(zone(3, { xml: { ...xml, mtimeMs: 3 }, record })), [], 'not when that was read with it');
  t.same(asked(zone(4, tags('db'))), [], 'no other file says anything of the state');
  t.match(zone(5, { xml: bad }).followUps, [{ retries: { input: 'xml' } }, { request: { lane: 'zone' } }]);
  t.end();
});

void tap.test('a failure keeps the last good value, and is tried again after the backoff, once', (t) => {
  const { state, zone } = aState();
  zone(2, tags('db'));
  const failed = zone(3, { tags: bad, kstat: bad });
  t.same(failed.commits, []);
  t.match(state.errors.list(), [{ input: 'tags', error: 'bad' }, { input: 'kstat' }]);
  t.match(failed.followUps, [
    { retries: { zone: someUuid, input: 'tags' } },
    { retries: { input: 'kstat' } },
  ]);
  for (const { afterMs, request } of failed.followUps) {
    t.ok(afterMs >= backoffLimits.minMs / 2, 'not at once');
    t.same(request.waiters, [], 'nobody waits for another try');
  }
  t.same(zone(4, { kstat: undefined }).followUps, []);
  t.match(state.errors.list(), [{ input: 'tags' }], 'what was not asked for is as it was');
  t.same(paths(zone(5, tags('web'))), [['tags.role']]);
  t.same(state.errors.list(), []);
  t.end();
});

void tap.test('what is read as it was is not assembled again', (t) => {
  const { state, zone } = aState();
  const same = tags('db');
  zone(2, same);
  const assembled = t.capture(state, 'commit', state.commit.bind(state));
  zone(3, same);
  t.equal(assembled().length, 0);
  zone(5, tags('web'));
  t.equal(assembled().length, 1);
  t.end();
});

void tap.test('a failure of before says nothing of what was read well since', (t) => {
  const { state, zone, take } = aState();
  zone(5, tags('db'));
  t.same(zone(4, { tags: bad }).followUps, []);
  const ends = [aRequest(root, false, noOccasion)];
  const failed = { type: 'datasets-failed', error: bad, readAt: 0, occasion: noOccasion } as const;
  t.same(take({ ...failed, ends }).followUps, []);
  const whole = [aRequest(root, true, noOccasion)];
  t.match(
    asked(take({ ...failed, ends: whole })),
    [{ name: root, whole: true }],
    'what is in it may be older',
  );
  t.same(state.errors.list(), []);
  t.end();
});

void tap.test('a success of before does not end a failure, nor its retry', (t) => {
  const { state, zone } = aState();
  zone(6, { record: bad, tags: bad });
  zone(5, { record, ...tags('db') });
  t.same(
    state.errors.list().map(({ input }) => input),
    ['record', 'tags'],
  );
  zone(7, { record, ...tags('db') });
  t.same(state.errors.list(), []);
  t.end();
});

void tap.test('a name that somebody made up leaves no trace; one that a source named does', (t) => {
  const { state, zone } = aState();
  t.same(zone(2, { record: bad }, { zonename: 'made-up' }).followUps, []);
  t.same(state.errors.list(), []);
  const named = zone(3, { record: bad }, { zonename: 'new', noticedAt: 1 });
  t.match(asked(named), [{ zonename: 'new', inputs: [...zoneInputs].sort() }], 'it is tried again whole');
  t.match(
    zone(4, { record: bad }, { zonename: 'new' }).followUps,
    [{ retries: { zone: 'new' } }],
    'and again',
  );
  zone(5, { record: undefined }, { zonename: 'new' });
  t.same(state.errors.list(), [], 'zoneadm says that there is none');
  t.end();
});

void tap.test('a zone is gone when zoneadm says so, and not when it says nothing', (t) => {
  const { state, zone } = aState();
  t.same(zone(2, { record: bad }).commits, []);
  t.same(paths(zone(1, { record: undefined })), ['delete']);
  t.same(state.errors.list(), []);
  t.same([...state.zones.names()], []);
  t.end();
});

void tap.test('a failure of before says nothing of a zone that is gone', (t) => {
  const { state, zone } = aState();
  t.same(paths(zone(5, { record: undefined })), ['delete']);
  t.same(zone(4, { record: bad, tags: bad }, { noticedAt: 1 }).followUps, []);
  t.same(state.errors.list(), []);
  const failed = zone(6, { record: bad, tags: bad }, { noticedAt: 1 });
  t.match(failed.followUps, [{ retries: { input: 'record' } }], 'and of its files nothing counts any more');
  t.equal(failed.followUps.length, 1);
  t.end();
});

void tap.test('an answer from before the zone was read does not delete it', (t) => {
  const { zone } = aState();
  zone(5, { record });
  t.same(zone(4, { record: undefined }).commits, []);
  t.end();
});

void tap.test('an XML that is away is looked for, a few times, and only then is the VM gone', (t) => {
  const { state, zone } = aState();
  goneRetriesMs.forEach((afterMs, look) => {
    const away = zone(2 + look, { record, xml: undefined }, { look });
    t.same(paths(away), []);
    t.match(away.followUps, [{ afterMs, request: { inputs: new Set(['record', 'xml']), look: look + 1 } }]);
    const meanwhile = zone(2 + look, { record, xml: undefined });
    t.same([meanwhile.commits, meanwhile.followUps], [[], []], 'what an event has read is no such look');
  });
  t.same(state.errors.list(), [], 'it may be on its way');
  const gone = zone(20, { record, xml: undefined }, { look: goneRetriesMs.length });
  t.same(paths(gone), ['delete']);
  t.match(state.errors.list(), [{ input: 'xml', error: /does not exist/ }]);
  t.end();
});

void tap.test('an XML is looked for anew when a search has ended otherwise', (t) => {
  const away = { record, xml: undefined };
  const first = [{ afterMs: goneRetriesMs[0], request: { look: 1 } }];
  const last = goneRetriesMs.length;
  const { zone } = aState();
  zone(2, away);
  zone(3, { record, xml: bad }, { look: 1 });
  t.match(zone(4, away).followUps, first, 'it could not be read');
  const moved = { ...record, zonepath: '/zones/elsewhere' };
  zone(5, { record: moved }, { look: 1 });
  const awayThere = { record: moved, xml: undefined };
  t.match(zone(6, awayThere).followUps, first, 'the zone has moved');
  zone(8, { record: moved });
  const late = zone(7, awayThere, { look: last });
  t.same(late.commits, [], 'zoneadm was asked since');
  t.match(
    late.followUps,
    [{ afterMs: goneRetriesMs.at(-1), request: { look: last } }],
    'so it is asked again',
  );
  t.same(paths(zone(9, awayThere, { look: last })), ['delete']);
  t.end();
});

void tap.test('a zone whose XML is missing is asked for until zoneadm answers', (t) => {
  const { state, zone } = aState();
  t.same(paths(zone(2, { record, xml: undefined }, { look: goneRetriesMs.length })), ['delete']);
  const failed = zone(3, { record: bad });
  t.match(failed.followUps, [{ retries: { input: 'record' } }]);
  zone(4, { record: undefined });
  t.same(state.errors.list(), []);
  t.end();
});

void tap.test('an XML that was away before it was read is not away', (t) => {
  const { state, zone } = aState();
  zone(9, { xml });
  for (const look of [undefined, goneRetriesMs.length]) {
    const late = zone(8, { record, xml: undefined }, { look });
    t.same(paths(late), []);
    t.match(asked(late), [{ lane: 'files', inputs: ['xml'] }], 'read again to be sure');
    t.equal(late.followUps[0]?.afterMs, 0, 'not looked for');
  }
  t.same(state.errors.list(), []);
  t.end();
});

void tap.test(
  'an XML that is away while zoneadm does not answer: nothing is deleted, and nothing hurries',
  (t) => {
    const { state, zone } = aState();
    for (let readAt = 2; readAt < 20; readAt++) {
      const away = zone(readAt, { record: bad, xml: undefined });
      t.same(away.commits, []);
      for (const { afterMs } of away.followUps) t.ok(afterMs >= backoffLimits.minMs / 2);
    }
    t.ok(state.hasVm(someUuid));
    t.same(paths(zone(30, { record, xml })), []);
    t.same(state.errors.list(), []);
    t.end();
  },
);

void tap.test('a zone that moves has its files watched and read at the new place', (t) => {
  const { zone } = aState();
  const moved = zone(2, { record: { ...record, zonepath: '/zones/elsewhere' } });
  t.same(moved.watches, [{ type: 'watch', zonename: someUuid, zonepath: '/zones/elsewhere' }]);
  t.match(asked(moved), [{ lane: 'files', inputs: [...zoneFiles].sort() }, { name: 'zones/elsewhere' }, {}]);
  t.end();
});

void tap.test(
  'a state that was announced is looked for until zoneadm and kstat show it, a few times',
  (t) => {
    const { state, zone } = aState();
    const announced = { newstate: 'running', since: state.clock.now, looks: 0 };
    const first = zone(
      announced.since + 1,
      { record: { ...record, state: 'ready' }, kstat: undefined },
      { announced },
    );
    t.match(first.followUps, [{ afterMs: newstateRetriesMs[0], request: { announced: { looks: 1 } } }]);
    const last = { ...announced, looks: newstateRetriesMs.length };
    t.same(zone(9, { record: { ...record, state: 'ready' } }, { announced: last }).followUps, []);
    const later = { newstate: 'ready', since: 20, looks: 0 };
    zone(21, { record: { ...record, state: 'ready' } }, { announced: later });
    t.same(
      zone(22, { record: { ...record, state: 'ready' } }, { announced }).followUps,
      [],
      'another was announced since',
    );
    t.end();
  },
);

void tap.test('a reading of before is thrown away, and what differs is read again', (t) => {
  const { zone } = aState();
  zone(5, tags('new'));
  const late = zone(4, tags('old'));
  t.same(late.commits, []);
  t.match(asked(late), [{ inputs: ['tags'] }]);
  t.end();
});

void tap.test(
  'a dataset that is listed: its VMs are assembled, and what an event said of it is not believed',
  (t) => {
    const { datasets } = aState();
    const request = aRequest(root, true, { noticedAt: 3, waiters: [] });
    const listed = datasets(2, { whole: [root], datasets: [theRoot(20)] }, [request]);
    t.same(paths(listed), [['quota']]);
    t.equal(listed.commits[0]?.noticedAt, 3);
    t.same(paths(datasets(3, { whole: [root], datasets: [theRoot(20)] }, [request])), [], 'still there');
    t.same(
      datasets(4, { whole: [root], missing: [root] }, [request]).commits.length,
      1,
      'gone when zfs says so',
    );
    t.end();
  },
);

void tap.test(
  'a listing that fails: of several, each is listed alone; of one, its VM keeps what is known',
  (t) => {
    const { state, take } = aState();
    const ends = [root, 'zones/other'].map((name) => aRequest(name, true, noOccasion));
    const failed = { type: 'datasets-failed', error: bad, readAt: 2, occasion: noOccasion } as const;
    t.match(
      asked(take({ ...failed, ends })),
      ends.map(({ name }) => ({ name, alone: true })),
    );
    t.same(state.errors.list(), []);
    const alone = take({ ...failed, ends: ends.slice(0, 1) });
    t.match(alone.followUps, [{ retries: { zone: someUuid, input: 'datasets', name: root } }]);
    t.match(state.errors.list(), [{ input: 'datasets', error: 'bad' }]);
    t.same(alone.commits, []);
    t.end();
  },
);

void tap.test('a VM that begins to show a disk waits for the listing of it; one event tells of both', (t) => {
  const { state, zone, datasets, take } = aState();
  const disk = 'zones/other-disk0';
  const disks = [{ path: `/dev/zvol/rdsk/${disk}`, model: 'virtio' }] as never;
  const withDisk = { value: { ...xml.value, disks }, mtimeMs: 2 };
  const grown = zone(2, { xml: withDisk });
  t.same(grown.commits, []);
  t.match(asked(grown), [{ lane: 'dataset', name: disk }, { lane: 'zone' }]);
  const [request] = grown.followUps.map((each) => each.request);
  if (request === undefined || !('whole' in request)) throw new Error('it is asked for');
  const ends = [request];
  take({ type: 'datasets-failed', error: bad, readAt: 3, occasion: noOccasion, ends });
  t.ok(state.store.snapshot.value.vms.get(someUuid)?.vm.disks?.[0], 'it goes on without, if that fails');
  t.match(datasets(4, { rows: [disk], datasets: [] }, ends).commits, []);
  t.same(state.errors.list(), []);
  t.end();
});

void tap.test('a full listing: what it lacks is asked for by name, and so is what it could not read', (t) => {
  const { take } = aState();
  const listed = { type: 'listed', errors: [], readAt: 5, occasion: noOccasion, ends: [] } as const;
  const lacks = take({ ...listed, what: 'zfs list', names: new Set(['zones']), unreadable: new Set() });
  t.match(asked(lacks), [{ lane: 'dataset', name: root, whole: true }]);
  t.same(lacks.commits, [], 'only that answer takes it away');
  const spoilt = take({
    ...listed,
    what: 'zfs list',
    names: new Set([root]),
    unreadable: new Set([root, 'zones/x']),
  });
  t.match(asked(spoilt), [{ name: root }]);
  const zones = take({
    ...listed,
    what: 'zoneadm list',
    names: new Set(),
    unreadable: new Set(['half-a-line']),
  });
  t.match(asked(zones), [{ zonename: someUuid }, { zonename: 'half-a-line' }]);
  t.same(zones.commits, []);
  t.end();
});

void tap.test('another sysinfo: every VM is assembled again, one after the other', (t) => {
  const { state, take, zone } = aState();
  zone(2, tags('db'));
  const sysinfo = { type: 'sysinfo', readAt: 2, occasion: noOccasion, ends: [] } as const;
  const other = take({ ...sysinfo, sysinfo: { UUID: 'host' } });
  t.match(asked(other), [{ lane: 'files', zonename: someUuid, inputs: [] }]);
  t.same(paths(zone(3, {})), [['server_uuid']]);
  take({ ...sysinfo, sysinfo: { UUID: 'another' } });
  t.same(paths(zone(4, tags('db'))), [['server_uuid']], 'with a reading that finds nothing else changed');
  const assembled = t.capture(state, 'commit', state.commit.bind(state));
  zone(5, {});
  t.equal(assembled().length, 0, 'once');
  t.same(take({ ...sysinfo, sysinfo: { UUID: 'another' } }).followUps, [], 'the same again');
  t.same(take({ ...sysinfo, sysinfo: undefined }).followUps, [], 'none');
  t.end();
});

void tap.test('a rescan that ends: the first load is done, or all is to be read again', (t) => {
  const { state, rescans, take } = anEmptyState();
  const request = { ...noOccasion, lane: 'rescan', scope: 'everything', reason: 'first load' } as const;
  const end = (isComplete: boolean) => {
    const rescan = rescans.begin(request, () => undefined);
    rescan.isComplete = isComplete;
    return take({ type: 'rescan-ended', rescan, readAt: 0, occasion: noOccasion, ends: [] });
  };
  t.match(asked(end(false)), [{ scope: 'everything', reason: 'first load' }]);
  t.notOk(state.isLoaded);
  t.same(end(true).followUps, []);
  t.ok(state.isLoaded);
  const failed = end(false);
  t.match(asked(failed), [{ reason: 'the last one failed' }]);
  t.ok((failed.followUps[0]?.afterMs ?? 0) >= backoffLimits.minMs / 2);
  t.same(failed.watches, [{ type: 'mend' }]);
  t.end();
});

void tap.test('what is stale for another lane is asked for there', (t) => {
  const { take } = aState();
  const invalidation = { type: 'descendants', dataset: 'zones' } as const;
  const { followUps } = take({ type: 'stale', invalidation, readAt: 1, occasion: noOccasion, ends: [] });
  t.match(followUps, [{ request: { lane: 'rescan', scope: 'datasets' }, afterMs: 0 }]);
  t.equal(zoneRequest('a', ['tags'], noOccasion).lane, 'files');
  t.end();
});

void tap.test('a listing clears older errors of what it lists, and of what is gone, not others', (t) => {
  const { state, zone, datasets, take } = aState();
  const far = 'zones/other/vols/disk0';
  const disks = [{ path: `/dev/zvol/rdsk/${far}`, model: 'virtio' }] as never;
  zone(2, { xml: { value: { ...xml.value, disks }, mtimeMs: 2 } });
  const snapshot = `${root}@vmsnap-gone`;
  const held = `${root}/data@indestructible`;
  const fail = (readAt: number, ...names: readonly string[]) => {
    for (const name of names) {
      const ends = [aRequest(name, false, noOccasion)];
      take({ type: 'datasets-failed', error: bad, readAt, occasion: noOccasion, ends });
    }
  };
  const list = (readAt: number, unreadable: readonly string[] = []) =>
    take({
      ...{ type: 'listed', what: 'zfs list', names: new Set(['zones', root]) },
      ...{ unreadable: new Set(unreadable), errors: [], readAt, occasion: noOccasion, ends: [] },
    });
  const failing = () =>
    [snapshot, held, far, root].filter((name) => state.errors.has(someUuid, 'datasets', name));

  fail(5, snapshot, held, far);
  list(4);
  t.same(failing(), [snapshot, held, far], 'they are newer than the listing');
  list(6, [root]);
  t.same(failing(), [snapshot, held], 'where a line could not be read they stay');
  list(7);
  t.same(state.errors.list(), [], 'snapshots, also of a dataset that is gone');

  fail(9, root, snapshot);
  datasets(8, { whole: [root], datasets: [aDataset({ name: root, mountpoint: record.zonepath })] });
  t.same(failing(), [snapshot, root]);
  datasets(10, { whole: [root], datasets: [aDataset({ name: root, mountpoint: record.zonepath })] });
  t.same(state.errors.list(), [], 'a dataset listed whole, with all its snapshots');
  t.end();
});

void tap.test(
  'when a listing clears the error of what a new zone waits for, that is asked for again',
  (t) => {
    const { zone, datasets, take } = aState();
    const zonename = 'new';
    zone(2, { record: { ...record, zonename, zonepath: '/zones/new' }, kstat: undefined }, { zonename });
    const first = zone(3, { xml, tags: undefined }, { zonename });
    const isRoot = (request: Request): request is DatasetRequest =>
      'whole' in request && request.name === 'zones/new';
    const ends = first.followUps.map(({ request }) => request).filter(isRoot);
    take({ type: 'datasets-failed', error: bad, readAt: 4, occasion: noOccasion, ends });
    const dataset = aDataset({ name: 'zones/new', mountpoint: '/zones/new' });
    const { followUps } = datasets(5, { whole: ['zones/new'], datasets: [dataset] });
    t.ok(
      followUps.some(({ request, afterMs }) => isRoot(request) && afterMs === 0),
      'as its retry would find no error',
    );
    t.end();
  },
);
