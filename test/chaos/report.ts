/**
 * What a run did, saw and checked, as text; and what must hold of it.
 */
import type { ChaosReport } from './chaos.js';
import { total } from './trail.js';

/** Fault kinds that had no turn. A run that is too short for all of them proves too little. */
export function faultsNeverInjected({ faultKinds, trail }: ChaosReport): readonly string[] {
  return faultKinds.filter((kind) => !trail.faults.has(kind));
}

/** The report, ending in a line on how to do it again. */
export function reportText(report: ChaosReport, seed: number, minutes: number): string {
  const { trail, seen, problems } = report;
  const never = faultsNeverInjected(report);
  const sections = [
    `seed ${seed}, ${report.storms} storms, ${report.seconds.toFixed(1)} s`,
    `${total(trail.actions)} actions (${trail.refused} refused by the host): ${counts(trail.actions)}`,
    `${total(trail.faults)} faults: ${counts(trail.faults)}`,
    `${total(trail.events)} events: ${counts(trail.events)}`,
    `checked: ${counts(report.checked)}`,
    `of each event, by ${report.listeners + 1} listeners: seq and date, create of what was not there, modify with a difference, changes that lead to the vm, no delete of a VM that never was away`,
    `${seen.pings} pings, slowest ${seen.pingMs.toFixed(0)} ms; event loop held ${seen.loopMs.toFixed(0)} ms at most; ${seen.children} children at most`,
    ...(never.length > 0 ? [`NEVER INJECTED: ${never.join(', ')}`] : []),
    ...(problems.length > 0
      ? [`${problems.length} PROBLEMS:`, ...problems.slice(0, 10).map((each) => `  - ${each}`)]
      : []),
    problems.length + never.length > 0
      ? `FAILED. Again: npm run test:chaos -- --minutes ${minutes} --seed ${seed}`
      : 'equal at the end',
  ];
  return `${sections.join('\n')}\n`;
}

function counts(counted: ReadonlyMap<string, number>): string {
  return [...counted]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
}
