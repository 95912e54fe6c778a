/** The live view: stream, clock and keys update the model, and the model is drawn. */
import { constants } from 'node:os';
import {
  BehaviorSubject,
  buffer,
  connect,
  exhaustMap,
  filter,
  fromEvent,
  interval,
  map,
  merge,
  startWith,
  Subject,
  switchMap,
  takeUntil,
  throttleTime,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import { top, usageIntervalMs } from '../../config.js';
import { VminfodError } from '../../client/errors.js';
import type { VmEvent } from '../../vm/event.js';
import { exit, type Context } from '../context.js';
import { draw } from './draw.js';
import type { TopModel, Size } from './model.js';
import { Screen } from './screen.js';
import type { TerminalKey } from './terminal-keys.js';
import { update, type Action } from './update.js';

export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

/** The state of the watcher's connection. */
export type ConnectionAction = Extract<Action, { readonly type: 'connected' | 'lost' }>;

/** Resolves with the exit status once the operator, or a signal, has ended it; the terminal is then restored. */
export async function live(
  context: Context,
  { stdin, stdout }: Terminal,
  first: TopModel,
  changes: Observable<VmEvent>,
  connections: Observable<ConnectionAction>,
): Promise<number> {
  const keys = new Subject<TerminalKey>();
  const screen = new Screen({
    stdin,
    stdout,
    onKey: (key) => {
      keys.next(key);
    },
  });
  const model = new BehaviorSubject(first);
  const take = (action: Action) => {
    model.next(update(model.value, action, Date.now()));
  };
  const drawn = new BehaviorSubject<void>(undefined);
  const show = () => {
    screen.draw(draw(model.value, context.paint));
    drawn.next();
  };
  const ended = new Subject<void>();

  // Before Ink listens: what it draws after a resize is of the new size already.
  const onResize = () => {
    take({ type: 'resize', size: sizeOf(stdout) });
    screen.clear();
    show();
  };
  const onContinue = () => {
    screen.close();
    screen.open();
    onResize();
  };
  const onSuspend = () => {
    screen.close();
    process.kill(process.pid, 'SIGSTOP');
  };
  stdout.prependListener('resize', onResize);
  process.on('SIGTSTP', onSuspend);
  process.on('SIGCONT', onContinue);

  try {
    screen.open();
    show();
    return await new Promise<number>((resolve, reject) => {
      const end = (status: number) => {
        resolve(status);
      };
      keys.pipe(takeUntil(ended)).subscribe((key) => {
        if (key.name === 'interrupt') end(exit.ok);
        // To all that the terminal would have stopped: `npm exec`, a script around us.
        else if (key.name === 'suspend') process.kill(0, 'SIGTSTP');
        else {
          take({ type: 'key', key });
          if (model.value.quit) end(exit.ok);
          else show();
        }
      });
      merge(...endingSignals.map((name) => fromEvent(process, name).pipe(map(() => name))))
        .pipe(takeUntil(ended))
        .subscribe((name) => {
          end(128 + constants.signals[name]);
        });
      const events = changes.pipe(
        collecting(top.redrawMs),
        map((batch): Action => ({ type: 'events', events: batch })),
      );
      const others = merge(
        connections,
        statuses(context),
        usages(context),
        drawn.pipe(
          switchMap(() => interval(top.tickMs)),
          map((): Action => ({ type: 'tick' })),
        ),
      );
      merge(events, others).pipe(map(take), takeUntil(ended)).subscribe({ next: show, error: reject });
    });
  } finally {
    ended.next();
    stdout.off('resize', onResize);
    process.off('SIGTSTP', onSuspend);
    process.off('SIGCONT', onContinue);
    screen.close();
  }
}

/** A lone value at once; while more come, all of them together every so many milliseconds. */
function collecting<T>(everyMs: number): OperatorFunction<T, T[]> {
  return connect((values) =>
    values.pipe(
      buffer(values.pipe(throttleTime(everyMs, undefined, { leading: true, trailing: true }))),
      filter((batch) => batch.length > 0),
    ),
  );
}

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The daemon's status, polled; emits nothing while the daemon does not answer, which the stream reports. */
function statuses({ client, signal }: Context): Observable<Action> {
  return interval(top.statusMs).pipe(
    startWith(0),
    exhaustMap(async () => client.status({ signal }).catch(unlessGone)),
    filter((answer) => answer !== undefined),
    map((answer): Action => ({ type: 'status', answer })),
  );
}

/** What VMs have used of their disk space, polled; emits nothing while it is not known. */
function usages({ client, signal }: Context): Observable<Action> {
  return interval(usageIntervalMs).pipe(
    startWith(0),
    exhaustMap(async () => client.usage({ signal }).catch(unlessGone)),
    filter((answer) => answer !== undefined),
    map((answer): Action => ({ type: 'usage', usage: answer.vms })),
  );
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof VminfodError)) throw error;
  return undefined;
}

export function sizeOf({ columns, rows }: NodeJS.WriteStream): Size {
  return { columns, rows };
}
