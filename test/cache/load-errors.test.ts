import tap from 'tap';
import { LoadErrors } from '../../lib/cache/load-errors.js';
import { backoffLimits } from '../../lib/config.js';

const { minMs, maxMs } = backoffLimits;

void tap.test('one error for each zone and input, with its first time and its latest text', (t) => {
  const errors = new LoadErrors();
  t.ok(errors.failed('a', 'xml', new Error('bad'), 1_000));
  t.notOk(errors.failed('a', 'xml', new Error('bad'), 2_000), 'known');
  t.ok(errors.failed('a', 'xml', new Error('worse'), 3_000), 'news');
  errors.failed('a', 'tags', new Error('bad'), 4_000);
  errors.failed('b', 'xml', new Error('bad'), 5_000);
  t.match(errors.list(), [
    { zone: 'a', input: 'xml', error: 'worse', since: new Date(1_000).toISOString() },
    { zone: 'a', input: 'tags' },
    { zone: 'b', input: 'xml' },
  ]);
  t.equal(errors.of('a').length, 2);
  t.same(errors.of('c'), []);
  t.end();
});

void tap.test('it goes with a good reading, or with its zone', (t) => {
  const errors = new LoadErrors();
  for (const [zone, input] of [
    ['a', 'xml'],
    ['a', 'tags'],
    ['b', 'xml'],
  ] as const)
    errors.failed(zone, input, new Error('bad'), 0);
  t.ok(errors.mended('a', 'xml'));
  t.notOk(errors.mended('a', 'xml'));
  errors.remove('a');
  t.match(errors.list(), [{ zone: 'b' }]);
  t.equal(errors.list().length, 1);
  t.end();
});

void tap.test('it is due after the backoff, which grows with each failure up to its limit', (t) => {
  const errors = new LoadErrors();
  let nowMs = 0;
  for (let fullMs: number = minMs, round = 0; round < 12; round++, fullMs = Math.min(maxMs, 2 * fullMs)) {
    errors.failed('a', 'xml', new Error('bad'), nowMs);
    t.same(errors.due(nowMs + fullMs / 2 - 1), [], `not before half of ${fullMs} ms`);
    nowMs += fullMs;
    t.match(errors.due(nowMs), [{ zone: 'a', input: 'xml' }], `at ${fullMs} ms`);
    t.same(errors.due(nowMs), [], 'once');
  }
  t.match(
    errors.due(nowMs + maxMs),
    [{ zone: 'a', input: 'xml' }],
    'or after the longest wait, if nothing came of it',
  );
  t.end();
});

void tap.test('a good reading starts the backoff anew', (t) => {
  const errors = new LoadErrors();
  for (let failure = 0; failure < 10; failure++) errors.failed('a', 'xml', new Error('bad'), 0);
  errors.mended('a', 'xml');
  errors.failed('a', 'xml', new Error('bad'), 0);
  t.equal(errors.due(minMs).length, 1);
  t.end();
});
