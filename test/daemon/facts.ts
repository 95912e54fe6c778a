/**
 * What tests of whole daemons say often: which event is meant, which zone, and that events alone made the daemon right.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import type { VmEvent } from '../../lib/vm/event.js';
import { deafWatch } from '../host/faulty-watch.js';
import { eventually, type Listening, type SomeDaemon } from './harness.js';

/** A platform whose file watches never fire. */
export const deaf = deafWatch();

/** The nth zone of a brand; throws when there is none. */
export function zoneOf(host: SimulatedHost, brand: string, index = 0): string {
  const found = host.zonenames().filter((zonename) => host.zone(zonename).config.brand === brand)[index];
  if (found === undefined) throw new Error(`the scenario has no such zone of brand ${brand}`);
  return found;
}

/** A change of this property (a prettyPath) of this VM, to this value if one is given. */
export function changeOf(zonename: string, path: string, newValue?: unknown): (event: VmEvent) => boolean {
  return (event) =>
    event.type === 'modify' &&
    event.zonename === zonename &&
    event.changes.some(
      (change) =>
        change.prettyPath === path &&
        (newValue === undefined || JSON.stringify(change.newValue) === JSON.stringify(newValue)),
    );
}

/** An event of this type about this VM. */
export function isA(type: VmEvent['type'], zonename: string): (event: VmEvent) => boolean {
  return (event) => event.type === type && event.zonename === zonename;
}

/** Everything that events said of a VM, in short. */
export function toldOf(zonename: string, events: readonly VmEvent[]): string[] {
  return events
    .filter((event) => event.zonename === zonename)
    .flatMap((event) =>
      event.type === 'modify' ? event.changes.map(({ prettyPath }) => prettyPath) : [event.type],
    );
}

/** Events alone made the daemon right: a rescan finds nothing, and who listened has what `/vms` has. */
export async function eventsSufficed(
  t: Test,
  daemon: Pick<SomeDaemon, 'rescan' | 'status' | 'vms'>,
  listening?: Listening,
): Promise<void> {
  await daemon.rescan();
  const { refreshLog, missed } = await daemon.status();
  t.strictSame(refreshLog?.at(-1)?.vmChanges, [], 'a rescan finds nothing');
  t.strictSame(missed, { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 });
  if (listening === undefined) return;
  const vms = await daemon.vms();
  const mirror = listening.replayed();
  t.strictSame(mirror, new Map(vms.map((vm) => [vm.zonename, vm])), 'a listener has what /vms has');
}

/**
 * Makes a command read at once and answer later, when `answer` is called: the first time that it is called with
 * arguments like `pattern` (of the shell).
 */
export function answersLate(host: SimulatedHost, command: string, pattern: string): LateAnswer {
  const file = host.path(command);
  const [asked, answered] = [`${file}.asked`, `${file}.answered`];
  const simulated = readFileSync(file, 'utf8');
  const wrapper = [
    '#!/bin/sh',
    `case "$*" in ${pattern.replaceAll(' ', '\\ ')}) ;; *) exec "$0.simulated" "$@" ;; esac`,
    `[ ! -e "${asked}" ] || exec "$0.simulated" "$@"`,
    `"$0.simulated" "$@" >"$0.output"; code=$?; : >"${asked}"`,
    `while [ -d "\${0%/*}" ] && [ ! -e "${answered}" ]; do sleep 0.01; done`,
    'cat "$0.output"; exit $code\n',
  ].join('\n');
  writeFileSync(`${file}.simulated`, simulated, { mode: 0o755 });
  writeFileSync(`${file}.new`, wrapper, { mode: 0o755 });
  renameSync(`${file}.new`, file);
  return {
    asked: eventually(() => existsSync(asked), `${command} is asked`),
    answer: () => {
      writeFileSync(answered, '');
    },
  };
}

/** See {@link answersLate}. */
export interface LateAnswer {
  /** Resolves when the command has read. */
  readonly asked: Promise<void>;
  /** Lets it answer. */
  answer(): void;
}
