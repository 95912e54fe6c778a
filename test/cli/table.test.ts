import tap from 'tap';
import { parsableText, sortVms, tableText } from '../../lib/cli/table.js';
import { QueryError } from '../../lib/vm/selector.js';
import { aVm, uuids } from '../client/a-vm.js';

const web = aVm();
const db = aVm({
  zonename: uuids.db,
  alias: 'a:b',
  brand: 'bhyve',
  hvm: true,
  ram: 1024,
  state: 'stopped',
  zoneid: null,
});
const lx = aVm({ zonename: uuids.cache, brand: 'lx', max_physical_memory: 64 });
const { alias: _, ...bare } = aVm({
  brand: 'kvm',
  hvm: true,
  resolvers: ['8.8.8.8', '1.1.1.1'],
  nics: [{ ip: '10.0.0.7' }, { ip: 'dhcp' }],
});
const columns = ['uuid', 'type', 'ram', 'state', 'alias'];

void tap.test('a table has the columns of vmadm', (t) => {
  t.equal(
    tableText([web, db, lx, bare], { fields: columns, header: true }),
    [
      'UUID                                  TYPE  RAM      STATE             ALIAS',
      'c4103a37-0000-4000-8000-000000000001  OS    256 MiB  running           web',
      'd5204b48-0000-4000-8000-000000000002  BHYV  1 GiB    stopped           a:b',
      'e6305c59-0000-4000-8000-000000000003  LX    64 MiB   running           web',
      'c4103a37-0000-4000-8000-000000000001  KVM   -        running           -',
      '',
    ].join('\n'),
  );
  t.end();
});

const rows: { name: string; fields: string[]; table: string; parsable: string }[] = [
  { name: 'false and null', fields: ['firewall_enabled', 'zoneid'], table: '-  -', parsable: 'false:' },
  { name: 'zero', fields: ['cpu_cap'], table: '0', parsable: '0' },
  { name: 'absent', fields: ['hostname', 'quota'], table: '-  10 GiB', parsable: ':10' },
  { name: 'a colon', fields: ['alias'], table: 'a:b', parsable: 'a\\:b' },
  { name: 'an empty list', fields: ['resolvers', 'uuid'], table: `-  ${uuids.db}`, parsable: `:${uuids.db}` },
  {
    name: 'dotted keys',
    fields: ['nics.*.ip', 'nics.1.mac'],
    table: '10.0.0.7,dhcp  aa:bb',
    parsable: '10.0.0.7,dhcp:aa\\:bb',
  },
  { name: 'an object', fields: ['tags'], table: '{"role":"db"}', parsable: '{"role"\\:"db"}' },
  {
    name: 'control characters',
    fields: ['billing_id'],
    table: '\\u001b[2J\\u000a',
    parsable: '\\u001b[2J\\u000a',
  },
];
const vm = {
  ...db,
  cpu_cap: 0,
  nics: [{ ip: '10.0.0.7' }, { ip: 'dhcp', mac: 'aa:bb' }],
  tags: { role: 'db' },
  billing_id: '\u001b[2J\n',
};
for (const { name, fields, table, parsable } of rows) {
  void tap.test(`values: ${name}`, (t) => {
    t.equal(tableText([vm], { fields, header: false }), `${table}\n`);
    t.equal(parsableText([vm], fields), `${parsable}\n`);
    t.end();
  });
}

void tap.test('a column is as wide as its longest value', (t) => {
  t.equal(
    tableText([web, aVm({ hostname: 'long.example.com' })], { fields: ['hostname', 'quota'], header: true }),
    'HOSTNAME          QUOTA\n-                 10 GiB\nlong.example.com  10 GiB\n',
  );
  t.equal(tableText([], { fields: ['hostname', 'quota'], header: true }), 'HOSTNAME  QUOTA\n');
  t.equal(tableText([], { fields: columns, header: false }), '');
  t.end();
});

void tap.test(
  'sizes have units, times are ages, and states colours, within the width of the terminal',
  (t) => {
    const now = Date.parse('2026-11-27T12:00:00.000Z');
    const vm = aVm({
      alias: '世界',
      boot_timestamp: '2026-11-27T09:59:00.000Z',
      disks: [{ size: 10240 }, { size: 512 }],
    });
    const table = (fields: string[], columns?: number) =>
      tableText([vm], { fields, header: false, now, columns });
    t.equal(table(['disks', 'nics']), '2  -\n', 'how many there are');
    t.equal(table(['boot_timestamp', 'disks.*.size']), '2h ago  10 GiB,512 MiB\n');
    t.equal(table(['alias', 'quota']), '世界        10 GiB\n', 'the alias takes four columns of ten');
    t.equal(table(['disks.*.size', 'state'], 10), '10 GiB,51…\n');
    t.equal(parsableText([vm], ['boot_timestamp', 'quota']), '2026-11-27T09\\:59\\:00.000Z:10\n');
    const paint = (style: string, text: string) => `<${style}>${text}</>`;
    const painted = (columns?: number) =>
      tableText([vm, { ...vm, state: 'stopped' }], {
        fields: ['alias', 'state', 'quota'],
        header: true,
        paint,
        columns,
      });
    t.equal(
      painted(),
      'ALIAS       STATE             QUOTA\n' +
        '世界        <green>running</>           10 GiB\n' +
        '世界        <dim>stopped</>           10 GiB\n',
    );
    t.match(painted(16), /\n世界 {8}<green>run…<\/>\n/);
    t.match(painted(8), /\n世界 {3}…\n/);
    t.end();
  },
);

const orders: { by: string[]; order: string[] }[] = [
  { by: ['ram', 'uuid'], order: ['a', 'c', 'd', 'b', 'e'] },
  { by: ['-ram', 'uuid'], order: ['b', 'a', 'c', 'd', 'e'] },
  { by: ['+ram', '-uuid'], order: ['d', 'c', 'a', 'b', 'e'] },
  { by: ['hostname', 'uuid'], order: ['d', 'b', 'a', 'c', 'e'] },
  { by: ['-hostname', 'uuid'], order: ['b', 'd', 'a', 'c', 'e'] },
  { by: [], order: ['c', 'b', 'd', 'a', 'e'] },
];
void tap.test('sorts numbers as numbers, and those without a value last either way', (t) => {
  const { max_physical_memory: __, ...none } = aVm({ uuid: 'e' });
  const vms = [
    aVm({ uuid: 'c' }),
    aVm({ uuid: 'b', max_physical_memory: 1024, hostname: 'y' }),
    aVm({ uuid: 'd', hostname: 'X' }),
    aVm({ uuid: 'a' }),
    none,
  ];
  for (const { by, order } of orders)
    t.strictSame(
      sortVms(vms, by).map(({ uuid }) => uuid),
      order,
      by.join(),
    );
  t.end();
});

void tap.test('an unknown key is an error that names it', (t) => {
  const error = { name: QueryError.name, message: /foo/ };
  t.throws(() => tableText([], { fields: ['uuid', 'foo'], header: true }), error);
  t.throws(() => parsableText([], ['foo']), error);
  t.throws(() => sortVms([], ['-foo']), error);
  t.end();
});
