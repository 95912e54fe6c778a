/** Objects made of parts. */
import tap from 'tap';
import { merge, packed } from '../../lib/vm/merge.js';

const yes: boolean = Math.random() < 2;

void tap.test(
  'parts become one object: later ones win, those left out do not count, keys keep their order',
  (t) => {
    const merged = merge(
      { b: 1, a: 1 },
      !yes && { x: 1 },
      undefined,
      { a: 2, c: undefined },
      yes && { d: 4 },
    );
    t.equal(JSON.stringify(Object.entries(merged)), '[["b",1],["a",2],["c",null],["d",4]]');
    t.same(merge(), {});
    t.end();
  },
);

void tap.test('a packed object has the same properties in the same order, whatever these are', (t) => {
  const objects = [
    {},
    { b: 'x', a: null, c: [1, { d: 2 }], e: 1.5, f: true },
    Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`key ${index} "\\`, { index }])),
  ];
  for (const object of objects) {
    t.strictSame(Object.entries(packed(object)), Object.entries(object));
  }
  const kept = { array: [1] };
  t.equal(packed(kept).array, kept.array, 'what is in it is not copied');
  t.end();
});
