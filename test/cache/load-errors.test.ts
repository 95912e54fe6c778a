import { pino } from 'pino';
import tap from 'tap';
import { LoadErrors } from '../../lib/cache/load-errors.js';
import { backoffLimits } from '../../lib/config.js';

const { minMs, maxMs } = backoffLimits;
const bad = new Error('bad');

/** Errors, and what of them was logged. */
function someErrors() {
  const log: string[] = [];
  const write = (line: string) => {
    log.push((JSON.parse(line) as { readonly msg: string }).msg);
  };
  return { errors: new LoadErrors(pino({}, { write })), log };
}

void tap.test('one error for each zone and input, with its first time and its latest text', (t) => {
  const { errors, log } = someErrors();
  errors.failed('a', 'xml', bad, 1);
  const [first] = errors.list();
  errors.failed('a', 'xml', bad, 1);
  errors.failed('a', 'xml', new Error('worse'), 1);
  const news = ['cannot read xml of zone a: bad', 'cannot read xml of zone a: worse'];
  t.same(log, news, 'what is known is not logged again');
  errors.failed('a', 'tags', bad, 1);
  errors.failed('b', 'xml', bad, 1);
  t.match(errors.list(), [
    { zone: 'a', input: 'xml', error: 'worse', since: first?.since },
    { zone: 'a', input: 'tags' },
    { zone: 'b', input: 'xml' },
  ]);
  t.end();
});

void tap.test('it goes with a good reading, or with its zone', (t) => {
  const { errors, log } = someErrors();
  for (const [zone, input] of [
    ['a', 'xml'],
    ['a', 'tags'],
    ['b', 'xml'],
  ] as const)
    errors.failed(zone, input, bad, 1);
  t.ok(errors.has('a', 'xml'));
  errors.mended('a', 'xml', 1);
  errors.mended('a', 'xml', 1);
  t.same(log.slice(3), ['xml of zone a is readable again'], 'once');
  t.notOk(errors.has('a', 'xml'));
  errors.remove('a');
  t.match(errors.list(), [{ zone: 'b' }]);
  t.equal(errors.list().length, 1);
  t.end();
});

void tap.test(
  'of datasets it is one error, which stays until all of them could be listed, or are shown no more',
  (t) => {
    const { errors } = someErrors();
    for (const name of ['zones/a', 'zones/a/data', 'zones/a-disk0'])
      errors.failed('a', 'datasets', bad, 1, { name, whole: false });
    t.equal(errors.list().length, 1);
    errors.mended('a', 'datasets', 1, 'zones/a');
    t.equal(errors.list().length, 1, 'not the last');
    t.notOk(errors.has('a', 'datasets', 'zones/a'));
    t.ok(errors.has('a', 'datasets', 'zones/a/data'));
    errors.keepDatasets('a', new Set(['zones/a', 'zones/a/data']));
    t.notOk(errors.has('a', 'datasets', 'zones/a-disk0'));
    errors.mended('a', 'datasets', 1, 'zones/a/data');
    t.same(errors.list(), []);
    t.end();
  },
);

void tap.test(
  'each failure in a row is tried again later, up to the limit; a good reading starts anew',
  (t) => {
    const { errors } = someErrors();
    for (let fullMs: number = minMs, round = 0; round < 12; round++, fullMs = Math.min(maxMs, 2 * fullMs)) {
      const retryAfterMs = errors.failed('a', 'xml', bad, 1);
      t.ok(retryAfterMs >= fullMs / 2 && retryAfterMs <= fullMs, `about ${fullMs} ms`);
    }
    errors.mended('a', 'xml', 1);
    t.ok(errors.failed('a', 'xml', bad, 1) <= minMs);
    t.end();
  },
);
