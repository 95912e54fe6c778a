import { Subject, asapScheduler, lastValueFrom, of, timer, map, toArray } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import tap, { type Test } from 'tap';
import { coalesceWhileBusy, type CoalesceOptions, type QueueLength } from '../../lib/operators/coalesce.js';

/** Runs marbles in virtual time: one character is 1 ms. */
function marbles(t: Test, act: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => t.same(actual, expected)).run(act);
  t.end();
}

/**
 * Requests are letters. `a` and `A` have the same key; merged they are the upper one. A run takes 5 ms, and its result is the
 * whole batch, unless the overrides say otherwise.
 */
function coalesce(overrides: Partial<CoalesceOptions<string, string>> = {}) {
  return coalesceWhileBusy<string, string>({
    key: (request) => request.toLowerCase(),
    merge: (waiting, next) => (waiting < next ? waiting : next),
    run: (batch) => timer(5).pipe(map(() => batch.join(''))),
    maxRuns: 4,
    slowAfterMs: 0,
    maxBatch: 100,
    settles: () => [],
    alone: () => false,
    onQueue: () => undefined,
    ...overrides,
  });
}

void tap.test('idle: a lone request runs at once', (t) => {
  marbles(t, ({ hot, expectObservable, expectSubscriptions }) => {
    const source = hot(' --a---------b---|');
    const expected = '   -------a---------(b|)';
    expectObservable(source.pipe(coalesce())).toBe(expected);
    expectSubscriptions(source.subscriptions).toBe('^---------------!');
  });
});

void tap.test('idle: what comes in one turn runs together', (t) => {
  marbles(t, ({ hot, expectObservable }) => {
    const source = hot(' -(abc)---|');
    const expected = '   ------x--|';
    expectObservable(source.pipe(coalesce())).toBe(expected, { x: 'abc' });
  });
});

void tap.test('busy: requests collect, repeats merge, and the next run takes them all', (t) => {
  marbles(t, ({ hot, expectObservable }) => {
    const source = hot(' -abcbB------|');
    const expected = '   ------a----x|';
    expectObservable(source.pipe(coalesce({ maxRuns: 1 }))).toBe(expected, { a: 'a', x: 'Bc' });
  });
});

void tap.test(
  'a key is never in two runs: what came during a run is run again after it, others at once',
  (t) => {
    marbles(t, ({ hot, expectObservable }) => {
      const source = hot(' -a-a-b-----------|');
      const expected = '   ------a---ba-----|';
      expectObservable(source.pipe(coalesce())).toBe(expected);
    });
  },
);

void tap.test('settles: a key whose result is there need not wait for the rest of its run', (t) => {
  marbles(t, ({ hot, cold, expectObservable }) => {
    const run = (batch: readonly string[]) => cold(batch.length > 1 ? '--a-----b|' : '--a|');
    const source = hot(' (ab)-a---a----|');
    const released = '   --a----ab--a--|';
    const waiting = '    --a-----b--a--|';
    expectObservable(source.pipe(coalesce({ run, settles: (result) => [result] }))).toBe(released);
    expectObservable(source.pipe(coalesce({ run }))).toBe(waiting);
  });
});

void tap.test('alone: such a request shares no run, and leaves one run for the others', (t) => {
  const isAlone = (request: string) => request >= 'x';
  void t.test('beside the others', (t) => {
    marbles(t, ({ hot, expectObservable }) => {
      const source = hot(' (axb)----|');
      const expected = '   -----(yx)|';
      expectObservable(source.pipe(coalesce({ alone: isAlone }))).toBe(expected, { y: 'ab', x: 'x' });
    });
  });
  void t.test('never in the last run', (t) => {
    marbles(t, ({ hot, expectObservable }) => {
      const run = (batch: readonly string[]) => timer(8).pipe(map(() => batch.join('')));
      const source = hot(' (xyz)-c-----------|');
      const expected = '   --------(xy)--c-z-|';
      expectObservable(source.pipe(coalesce({ alone: isAlone, maxRuns: 3, run }))).toBe(expected);
    });
  });
  t.end();
});

void tap.test('slowAfterMs: others wait for a run until it is slow', (t) => {
  const run = (batch: readonly string[]) =>
    timer(batch.includes('c') ? 5 : 20).pipe(map(() => batch.join('')));
  void t.test('and no longer', (t) => {
    marbles(t, ({ hot, expectObservable }) => {
      const source = hot(' ac 28ms |');
      const expected = '   8ms c 11ms a 9ms |';
      expectObservable(source.pipe(coalesce({ slowAfterMs: 3, run }))).toBe(expected);
    });
  });
  void t.test('never if it is 0', (t) => {
    marbles(t, ({ hot, expectObservable }) => {
      const source = hot(' ac 28ms |');
      const expected = '   6ms c 13ms a 9ms |';
      expectObservable(source.pipe(coalesce({ slowAfterMs: 0, run }))).toBe(expected);
    });
  });
  void t.test('but maxRuns holds', (t) => {
    marbles(t, ({ hot, expectObservable }) => {
      const source = hot(' ab---c 30ms |');
      const expected = '   20ms a--b-c 10ms |';
      expectObservable(source.pipe(coalesce({ slowAfterMs: 3, maxRuns: 2, run }))).toBe(expected);
    });
  });
  t.end();
});

void tap.test('maxBatch: the rest goes into the next run', (t) => {
  marbles(t, ({ hot, expectObservable }) => {
    const source = hot(' (abcde)|');
    const expected = '   5ms x 4ms y 4ms (z|)';
    const values = { x: 'ab', y: 'cd', z: 'e' };
    expectObservable(source.pipe(coalesce({ maxBatch: 2, maxRuns: 1 }))).toBe(expected, values);
  });
});

void tap.test('delayMs: requests collect even when idle', (t) => {
  marbles(t, ({ hot, expectObservable }) => {
    const source = hot(' a-b 20ms |');
    const expected = '   8ms x 14ms |';
    expectObservable(source.pipe(coalesce({ delayMs: 3 }))).toBe(expected, { x: 'ab' });
  });
});

void tap.test('complete: after the last run, also of what was still waiting', (t) => {
  marbles(t, ({ hot, expectObservable }) => {
    expectObservable(hot('ab|').pipe(coalesce({ maxRuns: 1 }))).toBe('5ms a 4ms (b|)');
    expectObservable(hot('a|').pipe(coalesce({ delayMs: 3 }))).toBe('8ms (a|)');
    expectObservable(hot('--|').pipe(coalesce())).toBe('--|');
  });
});

void tap.test('error of the source: at once, and the runs are ended', (t) => {
  marbles(t, ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const run = cold('-----x|');
    expectObservable(hot('a--#').pipe(coalesce({ run: () => run }))).toBe('---#');
    expectSubscriptions(run.subscriptions).toBe('^--!');
  });
});

void tap.test('error of a run: at once, and source and other runs are ended', (t) => {
  marbles(t, ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const source = hot('ab------|');
    const other = cold('      -----x|');
    const run = (batch: readonly string[]) => (batch.includes('a') ? cold('--#') : other);
    expectObservable(source.pipe(coalesce({ run }))).toBe('--#');
    expectSubscriptions(source.subscriptions).toBe('^-!');
    expectSubscriptions(other.subscriptions).toBe('-^!');
  });
});

void tap.test('a run that throws is an error of the stream', (t) => {
  marbles(t, ({ hot, expectObservable }) => {
    const bug = new Error('a bug');
    const run = () => {
      throw bug;
    };
    expectObservable(hot('-a--|').pipe(coalesce({ run }))).toBe('-#', undefined, bug);
  });
});

void tap.test('unsubscribing ends the runs and the source, and starts nothing more', (t) => {
  marbles(t, ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const source = hot('ab------|');
    const run = cold('      -----x|');
    const unsubscribed = '  ---!';
    expectObservable(source.pipe(coalesce({ run: () => run, maxRuns: 1 })), unsubscribed).toBe('----');
    expectSubscriptions(source.subscriptions).toBe('^--!');
    expectSubscriptions(run.subscriptions).toBe('^--!');
    const delayed = cold('  x|');
    expectObservable(hot('a---').pipe(coalesce({ run: () => delayed, delayMs: 5 })), unsubscribed).toBe(
      '---',
    );
    expectSubscriptions(delayed.subscriptions).toBe([]);
  });
});

void tap.test('onQueue: how many are in a run, and how many wait', (t) => {
  const seen: QueueLength[] = [];
  new TestScheduler((actual, expected) => t.same(actual, expected)).run(
    ({ hot, expectObservable, flush }) => {
      const onQueue = (queue: QueueLength) => seen.push(queue);
      expectObservable(hot('(abc)|').pipe(coalesce({ onQueue, maxBatch: 2, maxRuns: 1 }))).toBe(
        '5ms x 4ms (y|)',
        {
          x: 'ab',
          y: 'c',
        },
      );
      flush();
    },
  );
  t.ok(seen.some(({ pending, queued }) => pending === 2 && queued === 1));
  t.same(seen.at(-1), { pending: 0, queued: 0 });
  t.end();
});

void tap.test('nothing of a request is kept when it was served', async (t) => {
  const scheduled = t.capture(asapScheduler, 'schedule', asapScheduler.schedule.bind(asapScheduler));
  const source = new Subject<string>();
  const results = lastValueFrom(source.pipe(coalesce({ run: (batch) => of(batch.join('')) }), toArray()));
  for (const request of 'abc') {
    source.next(request);
    await new Promise(setImmediate);
  }
  const actions = scheduled().flatMap((call) => ('returned' in call ? [call.returned] : []));
  t.equal(actions.length, 3);
  t.same(
    actions.map(({ closed }) => closed),
    [true, true, true],
  );
  source.complete();
  t.same(await results, ['a', 'b', 'c']);
});
