/** A VM that is open. Pure. */
import { aliasOf } from './columns.js';
import { detailLines, type DetailLine } from './detail.js';
import { detailRows } from './layout.js';
import type { TopModel } from './model.js';
import { clip, fit, type Paint } from '../text.js';

const labelWidth = 28;

export function drawDetail(model: TopModel, paint: Paint): readonly string[] {
  const { vms, selected = '', size, scroll } = model;
  const vm = vms.get(selected);
  const name = vm ? `${aliasOf(vm)}  ${vm.brand}  ${vm.state}  ${vm.uuid}` : selected;
  const all = detailLines(model);
  const page = detailRows(size);
  const from = Math.max(0, Math.min(scroll, all.length - page));
  return [
    paint('inverse', fit(` ${name}`, size.columns)),
    ...all.slice(from, from + page).map((line) => drawLine(line, size.columns, paint)),
  ];
}

function drawLine({ kind, label, text }: DetailLine, columns: number, paint: Paint): string {
  switch (kind) {
    case 'title':
      return paint('bold', clip(` ${text.toUpperCase()}`, columns));
    case 'note':
      return paint('dim', clip(` ${text}`, columns));
    case 'change':
      return ` ${paint('dim', fit(label, 5, 'right'))}  ${clip(text, columns - 8)}`;
    case 'property':
      return `  ${paint('cyan', fit(label, labelWidth))} ${clip(text, columns - labelWidth - 3)}`;
  }
}
