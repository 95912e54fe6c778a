/** The operators of filters, as they are typed and as they come in a URL. */
import tap from 'tap';
import { matches, parseConditions, parseFilter } from '../../lib/vm/filter.js';
import { parseEntry } from '../../lib/vm/conditions.js';
import { aVm } from './factories.js';

const hourMs = 3_600_000;
const vm = aVm({
  alias: 'web-01',
  state: 'stopped',
  max_physical_memory: 2048,
  quota: 20,
  cpu_cap: 350,
  exit_timestamp: new Date(Date.now() - hourMs / 2).toISOString(),
  create_timestamp: '2026-01-02T03:04:05.000Z',
  nics: [{ mac: 'a', ip: '10.0.0.7' }, { mac: 'b' }],
  disks: [{ path: '/a', size: 10_240 }],
  zfs_root_recsize: 131_072,
  tags: { role: 'web', weight: '7', 'a!b': 'c' },
});

const cases: readonly (readonly [condition: string, expected: boolean])[] = [
  ['state=stopped', true],
  ['state!=running', true],
  ['state!=stopped', false],
  ['alias~^WEB', true],
  ['alias=~^web', true],
  ['alias~^db', false],
  ['alias!~^db', true],
  ['alias!~^web', false],
  ['alias~a=b|w', true],
  ['ram>=2g', true],
  ['ram>2g', false],
  ['ram<=2g', true],
  ['ram<2g', false],
  ['ram<2.5G', true],
  ['ram>2047', true],
  ['ram=2g', true],
  ['ram=2GiB', true],
  ['ram!=2g', false],
  ['ram=2048', true],
  ['ram>1t', false],
  ['quota>=20', true],
  ['quota>=20g', true],
  ['quota<1t', true],
  ['quota>20480m', false],
  ['disks.*.size>=10g', true],
  ['disks.0.size<10g', false],
  ['zfs_root_recsize=128k', true],
  ['cpu_cap>300', true],
  ['nics.*.ip!=10.0.0.8', true],
  ['nics.*.ip!=10.0.0.7', false],
  ['hostname!=x', true],
  ['hostname!~x', true],
  ['hostname!=', true],
  ['alias!=', true],
  ['pid>0', false],
  ['tags.weight>6', true],
  ['tags.weight<7', false],
  ['tags.role>1', false],
  ['tags.a!b=c', true],
  ['exit_timestamp>-1h', true],
  ['exit_timestamp>=-60m', true],
  ['exit_timestamp<-1h', false],
  ['exit_timestamp>-10m', false],
  ['create_timestamp<2026-01-03', true],
  ['create_timestamp>2026-01-02T03:04:05Z', false],
  ['create_timestamp<=2026-01-02T03:04:05Z', true],
];

void tap.test('a condition as it is typed', (t) => {
  for (const [condition, expected] of cases)
    t.equal(matches(parseConditions([condition]), vm), expected, condition);
  t.end();
});

void tap.test('the same in a URL: as it is typed, encoded, and as the client sends it', (t) => {
  for (const [condition, expected] of cases) {
    const raw = new URLSearchParams(condition.replaceAll('+', '%2B'));
    t.equal(matches(parseFilter(raw), vm), expected, `raw ${condition}`);
    t.equal(
      matches(parseFilter(new URLSearchParams(encodeURIComponent(condition))), vm),
      expected,
      `encoded ${condition}`,
    );
    t.equal(
      matches(parseFilter(new URLSearchParams([[...parseEntry(condition)]])), vm),
      expected,
      `entry ${condition}`,
    );
  }
  t.equal(matches(parseFilter([['ram>=', '2g']]), vm), true, 'a record of the client');
  t.end();
});

void tap.test('what cannot be compared is refused, and the key named', (t) => {
  for (const [condition, message] of [
    ['ram>=', /^ram: expected a number, perhaps with a unit \(512m, 2g; without: MiB\), or a time/],
    ['ram>big', /got "big"/],
    ['cpu_cap>=2g', /^cpu_cap: expected a number, or a time/],
    ['colour>1', /unknown property: colour/],
    ['alias~(', /^alias: /],
    ['alias', /expected <field><operator><value>/],
    ['>=1', /unknown property/],
    ['exit_timestamp>-1y', /expected a number/],
  ] as const) {
    t.throws(() => parseConditions([condition]), { name: 'QueryError', message }, condition);
  }
  t.end();
});
