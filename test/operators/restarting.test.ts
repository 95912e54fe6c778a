import { Observable, asyncScheduler } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import tap, { type Test } from 'tap';
import { rescanTimer } from '../../lib/config.js';
import { rescans } from '../../lib/sources/rescans.js';
import { backoff } from '../../lib/operators/backoff.js';
import { restarting } from '../../lib/operators/restarting.js';

function marbles(t: Test, act: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => t.same(actual, expected)).run(act);
}

/** Makes every random number this one, until the test ends. */
function randomIs(t: Test, value: number): void {
  const { random } = Math;
  Math.random = () => value;
  t.teardown(() => {
    Math.random = random;
  });
}

const limits = { minMs: 10, maxMs: 100, healthyAfterMs: 1_000 };

/** What fails after so many ms, and the starts that it saw. */
function failing(lifetimesMs: readonly number[]) {
  const startsMs: number[] = [];
  const source = new Observable<never>((subscriber) => {
    const lifetimeMs = lifetimesMs[startsMs.length];
    startsMs.push(asyncScheduler.now());
    if (lifetimeMs === undefined) return undefined;
    return asyncScheduler.schedule(() => {
      subscriber.error(new Error('broke'));
    }, lifetimeMs);
  });
  return { source, startsMs };
}

void tap.test('backoff: doubles from the least to the most', (t) => {
  for (const [random, part] of [
    [0, 0.5],
    [0.5, 0.75],
    [1, 1],
  ] as const) {
    void t.test(`${part} of all`, (t) => {
      randomIs(t, random);
      const waits = [1, 2, 3, 4, 5, 6, 1_000_000].map((failures) => backoff(failures, 10, 100));
      t.same(
        waits,
        [10, 20, 40, 80, 100, 100, 100].map((fullMs) => fullMs * part),
      );
      t.end();
    });
  }
  t.end();
});

void tap.test('restarting: each failure in a row waits longer, up to the limit, for ever', (t) => {
  randomIs(t, 1);
  const { source, startsMs } = failing(Array.from({ length: 7 }, () => 0));
  const failures: unknown[] = [];
  marbles(t, ({ expectObservable, flush }) => {
    const onFailure = (error: unknown, waitMs: number) => failures.push([(error as Error).message, waitMs]);
    expectObservable(source.pipe(restarting({ ...limits, onFailure })), '2s !').toBe('');
    flush();
  });
  t.same(startsMs, [0, 10, 30, 70, 150, 250, 350, 450]);
  t.same(
    failures,
    [10, 20, 40, 80, 100, 100, 100].map((waitMs) => ['broke', waitMs]),
  );
  t.end();
});

void tap.test('restarting: after a healthy run the next failure counts as the first', (t) => {
  randomIs(t, 1);
  const { source, startsMs } = failing([0, 0, 0, 1_000, 0, 999, 0]);
  marbles(t, ({ expectObservable, flush }) => {
    expectObservable(source.pipe(restarting(limits)), '5s !').toBe('');
    flush();
  });
  const waits = startsMs.slice(1).map((startMs, index) => startMs - (startsMs[index] ?? 0));
  t.same(waits, [10, 20, 40, 1_000 + 10, 20, 999 + 40, 80]);
  t.end();
});

void tap.test('restarting: values pass, and so does completion; a value alone is not health', (t) => {
  randomIs(t, 1);
  marbles(t, ({ cold, expectObservable, expectSubscriptions }) => {
    const source = cold('a#');
    expectObservable(source.pipe(restarting(limits)), '40ms !').toBe('a 10ms a 20ms a');
    expectSubscriptions(source.subscriptions).toBe(['^!', '11ms ^!', '32ms ^!']);
    expectObservable(cold('-b-|').pipe(restarting(limits))).toBe('-b-|');
  });
  t.end();
});

void tap.test('restarting: unsubscribing ends the source, or the wait for it', (t) => {
  randomIs(t, 1);
  marbles(t, ({ cold, expectObservable, expectSubscriptions }) => {
    const running = cold('a----');
    expectObservable(running.pipe(restarting(limits)), '---!').toBe('a');
    expectSubscriptions(running.subscriptions).toBe('^--!');
    const broken = cold('#');
    expectObservable(broken.pipe(restarting(limits)), '---!').toBe('');
    expectSubscriptions(broken.subscriptions).toBe('(^!)');
  });
  t.end();
});

void tap.test('restarting: each subscription counts its own failures', (t) => {
  randomIs(t, 1);
  marbles(t, ({ cold, expectObservable }) => {
    const restarted = cold('a#').pipe(restarting(limits));
    expectObservable(restarted, '15ms !').toBe('a 10ms a');
    expectObservable(restarted, '15ms !').toBe('a 10ms a');
  });
  t.end();
});

void tap.test('rescans: the first soon and jittered, then every period', (t) => {
  const rescan = { r: { type: 'everything', reason: 'timer' } };
  for (const [random, firstMs] of [
    [0, rescanTimer.firstMaxMs / 2],
    [1, rescanTimer.firstMaxMs],
  ] as const) {
    void t.test(`after ${firstMs} ms`, (t) => {
      randomIs(t, random);
      marbles(t, ({ expectObservable }) => {
        const unsubscribed = `${firstMs + 700_000}ms !`;
        expectObservable(rescans(300_000), unsubscribed).toBe(`${firstMs}ms r 299999ms r 299999ms r`, rescan);
      });
      t.end();
    });
  }
  void t.test('never later than a short period', (t) => {
    randomIs(t, 1);
    marbles(t, ({ expectObservable }) => {
      expectObservable(rescans(100), '250ms !').toBe('100ms r 99ms r', rescan);
    });
    t.end();
  });
  t.end();
});
