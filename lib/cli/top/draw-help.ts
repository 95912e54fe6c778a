/** The help screen behind `?`: what the keys do. Pure. */
import type { TopModel } from './model.js';
import { clip, fit, type Paint } from '../text.js';

const help: readonly (readonly [keys: string, what: string])[] = [
  ['↑ ↓  k j', 'move the cursor'],
  ['PgUp PgDn Home End', 'by a page, to the first, to the last'],
  ['Enter', 'open the VM: its changes, storage and all properties'],
  ['Esc', 'back; in the table: no filter'],
  ['/', 'filter as you type: words, or conditions as in vminfo list:'],
  ['', 'web  state=running  ram>=2g  alias~^db'],
  ['s S', 'sort by the next column, by the one before'],
  ['r', 'reverse the order'],
  ['q Ctrl-C', 'quit'],
  ['', ''],
  ['●', 'changed in the last seconds'],
  ['USED', 'how much of its disk space a VM has given to disks and snapshots'],
  ['CAP', 'CPU cap, percent of one CPU'],
  ['UP  CHG', 'since its boot; since its last change'],
];

export function drawHelp({ size }: TopModel, paint: Paint): readonly string[] {
  return [
    paint('inverse', fit(' vminfo top', size.columns)),
    '',
    ...help.map(([keys, what]) => `  ${paint('cyan', fit(keys, 20))} ${clip(what, size.columns - 24)}`),
  ];
}
