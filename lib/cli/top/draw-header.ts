/** The two lines at the top: the host and its VMs, and the daemon's health. Pure. */
import { top } from '../../config.js';
import { isUnhealthy } from '../../client/status.js';
import type { Style } from '../context.js';
import { stateStyle } from '../state-style.js';
import type { TopModel } from './model.js';
import { shortAge } from '../numbers.js';
import { clip, fit, widthOf, type Paint } from '../text.js';

interface Part {
  readonly text: string;
  readonly style?: Style | undefined;
}

export function drawHeader(model: TopModel, paint: Paint): readonly string[] {
  const { columns } = model.size;
  return [
    line(hostParts(model), connectionPart(model), columns, paint),
    line(daemonParts(model), ratePart(model), columns, paint),
  ];
}

function hostParts({ host, vms, filter }: TopModel): readonly Part[] {
  const all = [...vms.values()];
  const datacenter = all.find(({ datacenter_name }) => datacenter_name !== undefined)?.datacenter_name;
  const counts = new Map<string, number>();
  for (const { state } of all) counts.set(state, (counts.get(state) ?? 0) + 1);
  const count = all.length === 1 ? '1 VM' : `${all.length} VMs`;
  const states = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [
    { text: host, style: 'bold' },
    ...(datacenter === undefined ? [] : [{ text: datacenter }]),
    { text: filter.text === '' ? count : `${all.filter(filter.matches).length} of ${count}` },
    ...states.map(([state, count]) => ({ text: `${count} ${state}`, style: stateStyle(state) })),
  ];
}

function connectionPart({ connection: { state, since, note }, now }: TopModel): Part {
  if (state === 'lost') return { text: `● no connection for ${shortAge(now - since)}, trying`, style: 'red' };
  const fresh = note !== '' && now - since < top.noteMs;
  return { text: fresh ? `● ${note}` : '● connected', style: fresh ? 'yellow' : 'green' };
}

function daemonParts({ connection, status, now }: TopModel): readonly Part[] {
  if (connection.state === 'lost') return [{ text: clip(connection.note, 60), style: 'red' }];
  if (!status) return [{ text: 'vminfod has not reported its status yet', style: 'dim' }];
  const { sources = [], loadErrors = [], lastRefresh } = status.answer;
  const ill = sources.filter(isUnhealthy);
  const rescan =
    lastRefresh === undefined || lastRefresh === null
      ? undefined
      : Number.parseFloat(lastRefresh) * 1000 + now - status.at;
  return [
    ill.length === 0
      ? { text: `${sources.length} sources well` }
      : { text: ill.map(({ name, state }) => `${name} ${state}`).join(', '), style: 'yellow' },
    { text: rescan === undefined ? 'no rescan yet' : `rescan ${shortAge(rescan)} ago` },
    ...(loadErrors.length === 0
      ? []
      : [{ text: `${loadErrors.length} unreadable: vminfo doctor`, style: 'red' as const }]),
  ];
}

function ratePart({ eventTimes }: TopModel): Part {
  return { text: `${eventTimes.length} events/min` };
}

/** Parts on the left as far as there is room, one on the right. */
function line(left: readonly Part[], right: Part, columns: number, paint: Paint): string {
  const end = clip(right.text, columns - 2);
  let room = columns - 2 - widthOf(end) - 2;
  let text = ' ';
  for (const [index, part] of left.entries()) {
    const gap = index === 0 ? '' : '  ';
    const shown = clip(part.text, room - gap.length);
    if (shown === '') break;
    text += gap + styled({ ...part, text: shown }, paint);
    room -= gap.length + widthOf(shown);
  }
  return `${text}${fit('', Math.max(0, room + 2))}${styled({ ...right, text: end }, paint)}`;
}

function styled({ text, style }: Part, paint: Paint): string {
  return style === undefined ? text : paint(style, text);
}
