/** `vminfo list --watch`: the table, kept up to date in place. */
import { constants } from 'node:os';
import ansiEscapes from 'ansi-escapes';
import {
  from,
  fromEvent,
  interval,
  map,
  merge,
  Subject,
  takeUntil,
  throttleTime,
  type Observable,
} from 'rxjs';
import { top as limits } from '../../config.js';
import type { VmWatcher } from '../../client/watcher.js';
import type { VmObject } from '../../vm/vm-object.js';
import { CliError, exit, type Context } from '../context.js';
import { clip } from '../text.js';

/** The lines to show for the current VMs, no wider than `columns`. */
export type Render = (vms: readonly VmObject[], columns: number) => readonly string[];

/**
 * Shows the table until Ctrl-C or another signal, and leaves its last version on the screen.
 *
 * @returns the exit status.
 */
export async function watchList(context: Context, render: Render): Promise<number> {
  const { client, signal, stdout, paint } = context;
  if (context.columns === undefined)
    throw new CliError('vminfo: list -w needs a terminal; vminfo events works without one');
  await client.status({ signal }); // A wrong address is an error, not something to wait for.
  let lost = '';
  const connections = new Subject<void>();
  const watcher = await client.watch({
    signal,
    onDisconnect: ({ message }) => {
      lost = message;
      connections.next();
    },
    onReconnect: () => {
      lost = '';
      connections.next();
    },
  });
  const terminal = stdout as Partial<NodeJS.WriteStream> & typeof stdout;
  const lines = () => render([...watcher.vms.values()], terminal.columns ?? Infinity);
  const draw = () => {
    const { columns = Infinity, rows = Infinity } = terminal;
    const clock = new Date().toTimeString().slice(0, 8);
    const note = lost === '' ? `as of ${clock}; Ctrl-C ends it` : `lost, reconnecting: ${lost}`;
    const all = lines();
    const shown = all.slice(0, Math.max(1, rows - 2));
    const more = all.length > shown.length ? `${all.length - shown.length} more; ` : '';
    const last = paint(lost === '' ? 'dim' : 'red', clip(`${more}${note}`, columns - 1));
    const text = [...shown, last].map((line) => `${line}${ansiEscapes.eraseEndLine}`).join('\r\n');
    stdout.write(`${ansiEscapes.cursorTo(0, 0)}${text}${ansiEscapes.eraseDown}`);
  };
  const leave = () => {
    stdout.write(ansiEscapes.cursorShow + ansiEscapes.exitAlternativeScreen);
  };
  process.once('exit', leave);
  stdout.write(ansiEscapes.enterAlternativeScreen + ansiEscapes.cursorHide);
  try {
    draw();
    return await untilEnded(watcher, merge(connections, fromEvent(stdout, 'resize')), draw);
  } finally {
    process.off('exit', leave);
    leave();
    await watcher.close();
    await context.write(
      lines()
        .map((line) => `${line}\n`)
        .join(''),
    );
  }
}

/** Draws updates at a limited rate, and ages each second. Resolves with the exit status at a signal. */
function untilEnded(watcher: VmWatcher, occasions: Observable<unknown>, draw: () => void): Promise<number> {
  const ended = new Subject<void>();
  return new Promise<number>((resolve, reject) => {
    merge(...endingSignals.map((name) => fromEvent(process, name).pipe(map(() => name))))
      .pipe(takeUntil(ended))
      .subscribe((name) => {
        resolve(name === 'SIGINT' ? exit.ok : 128 + constants.signals[name]);
      });
    const events = merge(from(watcher.changes()), occasions).pipe(
      throttleTime(limits.redrawMs, undefined, { leading: true, trailing: true }),
    );
    merge(events, interval(limits.tickMs)).pipe(takeUntil(ended)).subscribe({ next: draw, error: reject });
  }).finally(() => {
    ended.next();
  });
}

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
