import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import tap, { type Test } from 'tap';
import { hold } from '../../lib/operators/hold.js';

function marbles(t: Test, act: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => t.same(actual, expected)).run(act);
  t.end();
}

/** `a` and `A` are the same thing. */
const key = (value: string) => value.toLowerCase();
const overflow = { max: 3, replaceWith: '*' };

void tap.test(
  'what was said before is said right after, in order, and from then on everything at once',
  (t) => {
    marbles(t, ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const until = cold(' -----x----');
      const source = hot(' -a-b-----a-c-|');
      const expected = '   -----(ab)a-c-|';
      expectObservable(source.pipe(hold({ until, key, overflow }))).toBe(expected);
      expectSubscriptions(until.subscriptions).toBe('^----!');
    });
  },
);

void tap.test('of the same the later one counts, in its place', (t) => {
  marbles(t, ({ hot, cold, expectObservable }) => {
    const until = cold(' -----x');
    const source = hot(' -abA------|');
    const expected = '   -----(bA)-|';
    expectObservable(source.pipe(hold({ until, key, overflow }))).toBe(expected);
  });
});

void tap.test('too much is one', (t) => {
  marbles(t, ({ hot, cold, expectObservable }) => {
    const until = cold(' ------x');
    const source = hot(' abcde------|');
    const expected = '   ------(*e)-|';
    expectObservable(source.pipe(hold({ until, key, overflow }))).toBe(expected);
  });
});

void tap.test('only the first `until` counts, and nothing is said twice', (t) => {
  marbles(t, ({ hot, cold, expectObservable }) => {
    const until = cold(' ---x---x-');
    const source = hot(' -a---b---|');
    const expected = '   ---a-b---|';
    expectObservable(source.pipe(hold({ until, key, overflow }))).toBe(expected);
  });
});

void tap.test('an `until` that is there already holds nothing back', (t) => {
  marbles(t, ({ hot, cold, expectObservable }) => {
    const until = cold(' x');
    const source = hot(' -a-|');
    expectObservable(source.pipe(hold({ until, key, overflow }))).toBe('-a-|');
  });
});

void tap.test('completion and errors pass at once, and end the wait', (t) => {
  marbles(t, ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const until = cold(' -----x');
    expectObservable(hot('a-|').pipe(hold({ until, key, overflow }))).toBe('--|');
    expectObservable(hot('a-#').pipe(hold({ until, key, overflow }))).toBe('--#');
    expectSubscriptions(until.subscriptions).toBe(['^-!', '^-!']);
  });
});

void tap.test('unsubscribing lets go of both', (t) => {
  marbles(t, ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const until = cold('  -----x');
    const source = hot('  -a------');
    const unsubscribed = '---!';
    expectObservable(source.pipe(hold({ until, key, overflow })), unsubscribed).toBe('----');
    expectSubscriptions(until.subscriptions).toBe('^--!');
    expectSubscriptions(source.subscriptions).toBe('^--!');
  });
});
