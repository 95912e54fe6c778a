import tap from 'tap';
import { keepEqual } from '../../lib/vm/equal.js';
import type { JsonObject, JsonValue } from '../../lib/vm/json.js';

const nic = (n: number, ip = `192.0.2.${n}`): JsonObject => ({ mac: `02:00:00:00:00:0${n}`, ip });
const nics = [nic(1), nic(2), nic(3)];
const before: JsonObject = { properties: { alias: 'a', ram: 1 }, nics, disks: [] };

/** What it becomes, and which of its nics are the very ones before. */
const cases: Readonly<Record<string, readonly [now: readonly JsonObject[], kept: readonly number[]]>> = {
  'one changed': [
    [nic(1), nic(2, '198.51.100.1'), nic(3)],
    [0, 2],
  ],
  'one more': [
    [nic(1), nic(2), nic(3), nic(4)],
    [0, 1, 2],
  ],
  'one more in front': [
    [nic(0), nic(1), nic(2), nic(3)],
    [1, 2, 3],
  ],
  'one less': [
    [nic(1), nic(3)],
    [0, 1],
  ],
  'all gone': [[], []],
  'in another order': [[nic(2), nic(1), nic(3)], [2]],
};

for (const [what, [now, kept]] of Object.entries(cases)) {
  void tap.test(`${what}: the others are the very same`, (t) => {
    const next: JsonObject = keepEqual(before, { ...before, nics: now, properties: { alias: 'a', ram: 1 } });
    t.strictSame(next, { ...before, nics: now });
    t.equal(next['properties'], before['properties']);
    const elements = next['nics'] as readonly JsonValue[];
    t.strictSame(
      [...elements.keys()].filter((index) => nics.includes(elements[index] as JsonObject)),
      kept,
    );
    t.end();
  });
}

void tap.test('what is equal is what was before, and any other value is the new one', (t) => {
  t.equal(keepEqual<JsonValue>(before, structuredClone(before)), before);
  for (const other of [null, 'text', [], {}, 0]) t.strictSame(keepEqual<JsonValue>(before, other), other);
  t.strictSame(keepEqual<JsonValue | undefined>(before, undefined), undefined);
  t.strictSame(keepEqual(undefined, before), before);
  const text = '{"__proto__":{"a":[1]},"b":[2]}';
  const now = JSON.parse(text) as JsonObject;
  t.equal(JSON.stringify(keepEqual(JSON.parse('{"__proto__":{"a":[0]},"b":[2]}') as JsonObject, now)), text);
  t.end();
});
