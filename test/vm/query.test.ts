import tap from 'tap';
import { maxPatternLength, maxSelectorKeys } from '../../lib/config.js';
import { parseFields, project } from '../../lib/vm/fields.js';
import { matches, parseEntry, parseFilter } from '../../lib/vm/filter.js';
import type { JsonObject } from '../../lib/vm/json.js';
import { parseSelectors, QueryError, valuesAt } from '../../lib/vm/selector.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { ramOf, typeOf, vmProperties } from '../../lib/vm/vm-properties.js';
import { aVm } from './factories.js';

const vm = aVm({
  alias: 'Web-01',
  quota: 20,
  zoneid: null,
  max_physical_memory: 512,
  ram: 99,
  docker: false,
  nics: [
    { interface: 'net0', mac: '0:1', ip: '10.0.0.1', ips: ['10.0.0.1/24', 'addrconf'] },
    { interface: 'net1', mac: '0:2' },
  ],
  disks: [
    { path: '/a', size: 10 },
    { path: '/b', size: 20 },
  ],
  resolvers: ['8.8.8.8'],
  tags: JSON.parse(
    '{"role":"db","triton.cns.services":"web:80","a":{"b.c":{"d":1}},"__proto__":"p"}',
  ) as JsonObject,
});

/** The keys that a QueryError names. */
function wrongKeys(query: () => unknown): readonly string[] | undefined {
  try {
    query();
    return undefined;
  } catch (error) {
    if (error instanceof QueryError) return error.keys;
    throw error;
  }
}

void tap.test('filters', (t) => {
  const cases: readonly (readonly [query: string, expected: boolean])[] = [
    ['alias=Web-01', true],
    ['alias=web-01', false],
    ['alias=Web', false],
    ['alias=~^web-\\d+$', true],
    ['alias=~eb', true],
    ['alias=~^eb', false],
    ['alias=', false],
    ['quota=20', true],
    ['quota=20.0', false],
    ['quota=~^2', true],
    ['docker=false', true],
    ['zoneid=null', true],
    ['hostname=', false],
    ['hostname=~.*', false],
    ['nics.*.mac=0:2', true],
    ['nics.mac=0:2', true],
    ['nics.0.mac=0:2', false],
    ['nics.1.mac=0:2', true],
    ['nics.2.mac=0:2', false],
    ['nics.*.ips.*=addrconf', true],
    ['nics.ips=addrconf', false],
    ['nics.*.no=1', false],
    ['disks.0.size=10', true],
    ['disks.*.size=20', true],
    ['disks.*.size=30', false],
    ['resolvers.*=8.8.8.8', true],
    ['resolvers=8.8.8.8', false],
    ['tags.role=db', true],
    ['tags.*=db', true],
    ['tags.triton.cns.services=web:80', true],
    ['tags.triton.cns=web:80', false],
    ['tags.a.b.c.d=1', true],
    ['tags.__proto__=p', true],
    ['tags.constructor.name=Object', false],
    ['tags.toString=~.', false],
    ['tags=~.', false],
    ['alias.length=6', false],
    ['type=OS', true],
    ['ram=512', true],
    ['ram=99', false],
    ['customer_metadata.*=x', false],
  ];
  for (const [query, expected] of cases) {
    t.equal(matches(parseFilter([parseEntry(query)]), vm), expected, query);
  }
  t.end();
});

void tap.test('all of a filter must match; an empty one always does', (t) => {
  const all = (...queries: readonly string[]) => matches(parseFilter(queries.map(parseEntry)), vm);
  t.equal(all(), true);
  t.equal(all('quota=20', 'alias=~web'), true);
  t.equal(all('quota=20', 'alias=~db'), false);
  t.equal(all('tags.role=db', 'tags.role=web'), false);
  t.end();
});

void tap.test('entries may come from a URL', (t) => {
  const { searchParams } = new URL('http://localhost/vms?alias=~^web&nics.*.mac=0%3A1');
  t.equal(matches(parseFilter(searchParams), vm), true);
  t.end();
});

void tap.test('every property and type can be asked for, nothing else', (t) => {
  t.strictSame(parseSelectors([...vmProperties, 'type']).length, vmProperties.length + 1);
  t.strictSame(
    wrongKeys(() =>
      parseFilter([
        ['foo', '1'],
        ['alias', '1'],
        ['Alias.x', '1'],
        ['', ''],
        ['__proto__', ''],
      ]),
    ),
    ['foo', 'Alias.x', '', '__proto__'],
  );
  t.strictSame(
    wrongKeys(() => parseFields('uuid,foo,nics.ip,bar.baz')),
    ['foo', 'bar.baz'],
  );
  t.strictSame(
    wrongKeys(() => parseFields('')),
    [''],
  );
  t.throws(() => parseFilter([['foo', '1']]), { name: 'QueryError', message: /foo/ });
  t.strictSame(
    wrongKeys(() => parseEntry('alias')),
    ['alias'],
  );
  t.strictSame(
    wrongKeys(() => parseEntry('=x')),
    ['=x'],
  );
  t.strictSame(parseEntry('alias=a=b'), ['alias', 'a=b']);
  t.end();
});

void tap.test('hostile queries are refused, or take no time', (t) => {
  const filter = (pattern: string) => () => parseFilter([['alias', `~${pattern}`]]);
  for (const pattern of [
    '(',
    'a{2000}',
    '(?=a)',
    '\\1',
    'x'.repeat(maxPatternLength + 1),
    '((a{30}){30}){30}',
    'a{200}',
  ]) {
    t.strictSame(wrongKeys(filter(pattern)), ['alias'], pattern.slice(0, 20));
  }
  t.throws(filter('('), { name: 'QueryError', message: /alias.*missing closing/ });
  const deep = `tags${'.a'.repeat(maxSelectorKeys)}`;
  t.strictSame(
    wrongKeys(() => parseFilter([[deep, '']])),
    [deep],
  );

  // Exponential for a backtracking engine: it would never come back.
  const text = `${'x'.repeat(5_000)}!`;
  t.equal(matches(filter('^(x+x+)+y')(), aVm({ alias: text })), false);
  t.end();
});

void tap.test('the values under a selector', (t) => {
  const values = (key: string) => parseSelectors([key]).flatMap((selector) => valuesAt(vm, selector));
  t.strictSame(values('nics.*.mac'), ['0:1', '0:2']);
  t.strictSame(values('nics.ip'), ['10.0.0.1']);
  t.strictSame(values('disks.1'), [{ path: '/b', size: 20 }]);
  t.strictSame(values('resolvers'), [['8.8.8.8']]);
  t.strictSame(values('hostname'), []);
  t.strictSame(values('type'), ['OS']);
  t.end();
});

void tap.test('fields', (t) => {
  const cases: readonly (readonly [fields: string, expected: JsonObject])[] = [
    ['uuid', { uuid: vm.uuid }],
    ['quota,alias', { quota: 20, alias: 'Web-01' }],
    ['hostname', {}],
    ['type,ram', { type: 'OS', ram: 512 }],
    ['nics.ip', { nics: [{ ip: '10.0.0.1' }] }],
    ['nics.*.mac,nics.ip', { nics: [{ mac: '0:1', ip: '10.0.0.1' }, { mac: '0:2' }] }],
    ['disks.1.size', { disks: [{ size: 20 }] }],
    [
      'disks.path,disks',
      {
        disks: [
          { path: '/a', size: 10 },
          { path: '/b', size: 20 },
        ],
      },
    ],
    [
      'disks,disks.path',
      {
        disks: [
          { path: '/a', size: 10 },
          { path: '/b', size: 20 },
        ],
      },
    ],
    ['tags.role,tags.no', { tags: { role: 'db' } }],
    ['tags.triton.cns.services', { tags: { 'triton.cns.services': 'web:80' } }],
    ['tags.a.b.c.d', { tags: { a: { 'b.c': { d: 1 } } } }],
    ['tags.__proto__', { tags: JSON.parse('{"__proto__":"p"}') as JsonObject }],
    ['tags.toString', {}],
    ['alias.x', {}],
  ];
  for (const [fields, expected] of cases) {
    t.equal(JSON.stringify(project(parseFields(fields), vm)), JSON.stringify(expected), fields);
  }
  t.end();
});

void tap.test('type and ram as vmadm has them', (t) => {
  const both = (overrides: Partial<VmObject>) => {
    const other = aVm({ ram: 1024, max_physical_memory: 2048, ...overrides });
    return [typeOf(other), ramOf(other)];
  };
  t.strictSame(both({ brand: 'joyent' }), ['OS', 2048]);
  t.strictSame(both({ brand: 'joyent-minimal' }), ['OS', 2048]);
  t.strictSame(both({ brand: 'builder' }), ['OS', 2048]);
  t.strictSame(both({ brand: 'lx' }), ['LX', 2048]);
  t.strictSame(both({ brand: 'kvm', hvm: true }), ['KVM', 1024]);
  t.strictSame(both({ brand: 'bhyve', hvm: true }), ['BHYV', 1024]);
  t.end();
});
