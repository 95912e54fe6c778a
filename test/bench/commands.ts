/**
 * commands: what it costs to run a command, by a shell that waits for it and by execa, from a small process and from a
 * large one: to start a process costs the more, the more memory the one that starts it has.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileOf } from './daemon-process.js';
import type { Measurement } from './measurement.js';
import type { CommandSamples } from './run-commands.js';
import { figure, single, type Figure } from './report.js';

/** MB that the process is made larger by: as the daemon is, and as it is when it has a bad day. */
const ballast = { 'a small process': 0, 'a large process': 300 } as const;

export const measureCommands: Measurement = async ({ host }) => {
  const zonename = host.zonenames().find((name) => host.zone(name).state === 'running') ?? '';
  const figures: Figure[] = [];
  for (const [who, ballastMb] of Object.entries(ballast)) {
    const dataset = host.zone(zonename).zonepath.slice(1);
    const child = fork(fileOf('./run-commands.js'), [host.root, zonename, dataset, String(ballastMb)]);
    const gone = once(child, 'exit');
    const [{ rssMb, wholeMs, heldMs }] = (await once(child, 'message')) as [CommandSamples];
    await gone;
    figures.push(single(`${who}: its memory`, 'MB', rssMb));
    for (const [command, { shell, execa }] of Object.entries(wholeMs)) {
      figures.push(
        figure(`${command}, ${who}`, 'ms', shell),
        figure(`beside: by execa, ${command}, ${who}`, 'ms', execa),
      );
    }
    figures.push(
      figure(`event loop held by starting one, ${who}`, 'ms', heldMs.shell),
      figure(`beside: by execa, event loop held by starting one, ${who}`, 'ms', heldMs.execa),
    );
  }
  return figures;
};
