/** What people read of events. */
import tap from 'tap';
import { describeEvent } from '../../lib/vm/describe.js';
import { diff } from '../../lib/vm/diff.js';
import type { VmEvent } from '../../lib/vm/event.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { aVm, someUuid } from './factories.js';

const base = { date: '2026-11-27T12:03:11.000Z', zonename: someUuid, uuid: someUuid };

function modify(from: Partial<VmObject>, to: Partial<VmObject>): VmEvent {
  const vm = aVm(to);
  return { ...base, type: 'modify', vm, changes: diff(aVm(from), vm) };
}

const texts = (event: VmEvent, options = {}) => describeEvent(event, options).map(({ text }) => text);

const nic = { mac: '0:1', interface: 'net0', ip: '10.0.0.7' };
const disk = { path: `/dev/zvol/rdsk/zones/${someUuid}/disk0`, size: 10_240 };

const cases: readonly (readonly [
  from: Partial<VmObject>,
  to: Partial<VmObject>,
  lines: readonly string[],
])[] = [
  [
    {
      state: 'running',
      zone_state: 'running',
      zoneid: 3,
      pid: 77,
      boot_timestamp: '2026-01-01T00:00:00.000Z',
    },
    {
      state: 'stopped',
      zone_state: 'installed',
      zoneid: null,
      exit_status: 0,
      exit_timestamp: '2026-01-01T00:00:09.000Z',
      last_modified: '2026-01-01T00:00:09.000Z',
    },
    ['stopped (exit 0)'],
  ],
  [{}, { state: 'stopped', exit_status: -9 }, ['stopped (signal 9)']],
  [{}, { state: 'stopped' }, ['stopped']],
  [{ state: 'stopped', exit_status: 1 }, { state: 'running', pid: 5 }, ['started']],
  [{ state: 'provisioning' }, {}, ['provisioned, runs']],
  [{}, { state: 'shutting_down' }, ['is shutting down']],
  [{}, { state: 'stopping' }, ['is stopping']],
  [{}, { state: 'ready' }, ['is booting']],
  [{ state: 'provisioning' }, { state: 'failed', failed: 'no image' }, ['failed (no image)']],
  [
    { boot_timestamp: '2026-01-01T00:00:00.000Z', pid: 1 },
    { boot_timestamp: '2026-01-01T00:01:00.000Z', pid: 2 },
    ['rebooted'],
  ],
  [{ init_restarts: 0, pid: 1 }, { init_restarts: 1, pid: 2 }, ['init restarted (1 in all)']],
  [{}, { last_modified: '2026-01-01T00:00:09.000Z' }, []],
  [{ quota: 20 }, { quota: 73 }, ['quota 20 -> 73 GiB']],
  [{ quota: 0 }, { quota: 73 }, ['quota none -> 73 GiB']],
  [{ quota: 1024 }, { quota: 2048 }, ['quota 1 -> 2 TiB']],
  [{ quota: 512 }, { quota: 2048 }, ['quota 512 -> 2048 GiB']],
  [{ max_physical_memory: 512 }, { max_physical_memory: 2048 }, ['ram 512 -> 2048 MiB']],
  [{ max_swap: 1024 }, { max_swap: 2048 }, ['max_swap 1 -> 2 GiB']],
  [{ autoboot: true }, { autoboot: false }, ['autoboot true -> false']],
  [{}, { cpu_cap: 100 }, ['cpu_cap set to 100']],
  [{ cpu_cap: 100 }, {}, ['cpu_cap removed (was 100)']],
  [{ alias: 'web1' }, { alias: 'web2' }, ['renamed web1 -> web2']],
  [
    {},
    { snapshots: [{ name: 'daily-3', size: 1, created_at: '2026-01-01T00:00:00.000Z' }] },
    ['snapshot daily-3 taken'],
  ],
  [{ snapshots: [{ name: 'daily-3', size: 1 }] }, {}, ['snapshot daily-3 deleted']],
  [
    { snapshots: [{ name: 'daily-3', size: 1 }] },
    { snapshots: [{ name: 'daily-3', size: 3 }] },
    ['snapshot daily-3 1 -> 3 MiB'],
  ],
  [{ tags: { role: 'web' } }, { tags: { role: 'db', x: 1 } }, ['tag role web -> db', 'tag x = 1']],
  [{ tags: { role: 'web' } }, { tags: {} }, ['tag role removed']],
  [{}, { nics: [nic] }, ['nic net0 added (10.0.0.7)']],
  [{ nics: [nic] }, { nics: [] }, ['nic net0 removed']],
  [{ nics: [nic] }, { nics: [{ ...nic, ip: '10.0.0.8' }] }, ['nic net0 ip 10.0.0.7 -> 10.0.0.8']],
  [{ disks: [disk] }, { disks: [{ ...disk, size: 20_480 }] }, ['disk disk0 size 10 -> 20 GiB']],
  [{ disks: [] }, { disks: [disk] }, ['disk disk0 added (10 GiB)']],
  [
    { resolvers: ['8.8.8.8', '1.1.1.1'] },
    { resolvers: ['1.1.1.1', '8.8.8.8'] },
    ['resolvers 8.8.8.8,1.1.1.1 -> 1.1.1.1,8.8.8.8'],
  ],
  [{ resolvers: ['8.8.8.8'] }, { resolvers: ['8.8.8.8', '1.1.1.1'] }, ['resolver 1.1.1.1 added']],
  [{}, { datasets: ['zones/x/data'] }, ['datasets set to zones/x/data']],
  [
    { customer_metadata: { motd: 'a' } },
    { customer_metadata: { motd: 'b'.repeat(100) } },
    [`metadata motd a -> ${'b'.repeat(57)}...`],
  ],
  [
    { internal_metadata: { root_pw: 'old' }, customer_metadata: { admin_pw: 'x' } },
    { internal_metadata: { root_pw: 'new', other: 'y' }, customer_metadata: {} },
    [
      'metadata admin_pw removed',
      'internal metadata root_pw changed (********)',
      'internal metadata other set (********)',
    ],
  ],
  [{ vnc_password: 'a' }, { vnc_password: 'b' }, ['vnc_password changed (********)']],
];

void tap.test('a line a change, with what only follows folded away', (t) => {
  for (const [from, to, lines] of cases) t.strictSame(texts(modify(from, to)), lines, lines.join('; '));
  t.end();
});

void tap.test('creates and deletes', (t) => {
  const vm = aVm({ brand: 'lx', max_physical_memory: 2048, nics: [nic] });
  t.strictSame(texts({ ...base, type: 'create', vm }), ['created (lx, 2 GiB, 10.0.0.7)']);
  t.strictSame(texts({ ...base, type: 'create', vm: aVm({ state: 'provisioning' }) }), [
    'created (joyent, provisioning)',
  ]);
  t.strictSame(texts({ ...base, type: 'delete' }), ['deleted']);
  t.end();
});

void tap.test('all: what follows comes after, and is marked', (t) => {
  const event = modify({ pid: 1 }, { state: 'stopped', zone_state: 'installed' });
  const all = describeEvent(event, { all: true });
  t.strictSame(
    all.map(({ text, follows }) => [text, follows]),
    [
      ['stopped', false],
      ['zone_state running -> installed', true],
      ['pid removed (was 1)', true],
    ],
  );
  t.end();
});

void tap.test('secrets are shown only when asked for', (t) => {
  const event = modify({ internal_metadata: { root_pw: 'old' } }, { internal_metadata: { root_pw: 'new' } });
  t.notMatch(JSON.stringify(describeEvent(event, { all: true })), /old|new/);
  t.strictSame(texts(event, { showSecrets: true }), ['internal metadata root_pw old -> new']);
  t.end();
});
