import tap from 'tap';
import { lengthOf, vmBytes } from '../../lib/vm/vm-bytes.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { aVm } from './factories.js';

const snapshots = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    name: `é${n}`,
    size: n,
    created_at: '2026-01-01T00:00:00.000Z',
  }));
const many = snapshots(1_700);
const text = { text: 'x'.repeat(100_000) };

const cases: Readonly<Record<string, Partial<VmObject>>> = {
  'a small VM': {},
  'thousands of snapshots': { snapshots: many },
  'as many as are made together': { snapshots: snapshots(200) },
  'one more': { snapshots: [...snapshots(1), ...many] },
  'one less at the end': { snapshots: many.slice(0, -1) },
  'one in the middle is another': {
    snapshots: many.with(900, { name: 'other', size: 1, created_at: '2026-01-02T00:00:00.000Z' }),
  },
  'much metadata': { customer_metadata: text, internal_metadata: { '"key"': '\n', ...text } },
  'many keys': { tags: Object.fromEntries(snapshots(200).map(({ name }) => [name, true])) },
  'big parts alone': { snapshots: many, tags: text, routes: {} },
  'an array of texts': { resolvers: Array.from({ length: 700 }, (_, n) => `192.0.2.${n}`) },
};

for (const [what, overrides] of Object.entries(cases)) {
  void tap.test(`${what}: the same bytes as without parts, again and again`, (t) => {
    const vm = aVm(overrides);
    for (let round = 0; round < 2; round++)
      t.equal(Buffer.concat(vmBytes(vm)).toString(), JSON.stringify(vm));
    t.end();
  });
}

void tap.test('a big part is serialised once for as long as it is the same object', (t) => {
  let asked = 0;
  const watched = <T extends object>(value: T): T =>
    Object.defineProperty(value, 'toJSON', {
      value: () => {
        asked++;
        return { name: 'watched' };
      },
    });
  const elements = snapshots(1_700).map(watched);
  const before = aVm({ snapshots: elements, quota: 1 });
  vmBytes(before);
  t.equal(asked, 1_700);
  vmBytes({ ...before, quota: 2 });
  t.equal(asked, 1_700, 'another quota');
  vmBytes({ ...before, snapshots: [watched({ name: 'new', size: 0 }), ...elements] });
  t.ok(asked < 1_700 + 200, 'one more snapshot');
  t.end();
});

void tap.test('versions of a VM share the bytes of what is big, so that nobody copies it', (t) => {
  const before = aVm({ snapshots: many, customer_metadata: text, quota: 1 });
  const big = (vm: VmObject) => vmBytes(vm).filter(({ length }) => length > 8_192);
  const parts = big(before);
  t.ok(lengthOf(parts) > 0.9 * lengthOf(vmBytes(before)));
  for (const [index, part] of big({ ...before, quota: 2 }).entries()) t.equal(part, parts[index]);
  t.end();
});
