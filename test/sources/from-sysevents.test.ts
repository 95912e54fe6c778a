/** A subscription that heals, with real children. Each script counts its starts and behaves accordingly. */
import { readFile } from 'node:fs/promises';
import { Subject, filter, firstValueFrom, take, toArray } from 'rxjs';
import tap, { type Test } from 'tap';
import { zoneSyseventArgs } from '../../lib/host/sysevent.js';
import { fromSysevents } from '../../lib/sources/from-sysevents.js';
import { createSourceHealth, type SourceHealth, type SourceState } from '../../lib/sources/health.js';
import { temporaryHost } from '../host/temporary-host.js';

const ready = `echo '{"date":"2026-11-23T10:00:00.123Z","type":"ready"}'`;
const event = (zonename: string) =>
  `echo '{"type":"event","class":"status","subclass":"change","data":{"zonename":"${zonename}","newstate":"running"}}'`;
const stay = 'exec sleep 60';

interface Source {
  readonly sysevents: ReturnType<typeof fromSysevents>;
  readonly health: SourceHealth;
  readonly states: SourceState[];
  /** How often the command was started. */
  readonly starts: () => Promise<number>;
}

/** Sysevents of a command that does the first thing when it is first started, and the other from then on. */
async function aSource(t: Test, first: string, then: string, readyTimeoutMs = 20_000): Promise<Source> {
  const host = await temporaryHost(t);
  const count = `${host.root}/starts`;
  await host.script(
    '/usr/sbin/sysevent',
    `echo "$@" >> ${count}\nif [ "$(wc -l < ${count})" -eq 1 ]; then\n${first}\nelse\n${then}\nfi`,
  );
  const health = createSourceHealth('zone-events');
  const states: SourceState[] = [];
  health.state.subscribe((state) => states.push(state));
  return {
    health,
    states,
    sysevents: fromSysevents({ host, args: zoneSyseventArgs, health, readyTimeoutMs }),
    starts: async () => (await readFile(count, 'utf8')).trimEnd().split('\n').length,
  };
}

void tap.test('ready, then events; the health says so', async (t) => {
  const script = `${ready}\n${event('a')}\n${event('b')}\n${stay}`;
  const { sysevents, health, states, starts } = await aSource(t, script, script);
  const seen = await firstValueFrom(sysevents.pipe(take(3), toArray()));
  t.match(seen, [{ type: 'ready' }, { type: 'zone', zonename: 'a' }, { type: 'zone', zonename: 'b' }]);
  t.same(states, ['starting', 'running']);
  t.match(health.status(), { state: 'running', restarts: 0, events: 2, lastError: null });
  t.equal(await starts(), 1);
});

const garbage = 'i=0; while [ $i -lt 10000 ]; do echo "garbage $i"; i=$((i+1)); done';
const troubles: readonly [name: string, script: string, error: RegExp][] = [
  ['dies', `${ready}\nkill -9 $$`, /was killed by SIGKILL/],
  ['exits with 0', ready, /ended with exit code 0/],
  ['exits with 1', `${ready}\nexit 1`, /ended with exit code 1/],
  ['writes to stderr', `${ready}\necho oops >&2\n${stay}`, /wrote to stderr: oops/],
  ['writes what is not JSON', `${ready}\necho Terminated\n${stay}`, /expected JSON: "Terminated"/],
  ['writes what is no event', `${ready}\necho '{}'\n${stay}`, /expected an event/],
  ['writes 10,000 lines of garbage', `${ready}\n${garbage}\n${stay}`, /expected JSON: "garbage 0"/],
  [
    'writes a line without end',
    `${ready}\nwhile :; do printf 0123456789012345678901234567890123456789; done`,
    /a line of more than/,
  ],
];
for (const [name, script, error] of troubles) {
  void tap.test(`a child that ${name} is replaced, and there is another ready`, async (t) => {
    const { sysevents, health, states, starts } = await aSource(
      t,
      script,
      `${ready}\n${event('later')}\n${stay}`,
    );
    const seen = await firstValueFrom(sysevents.pipe(filter(({ type }) => type !== 'ready')));
    t.match(seen, { type: 'zone', zonename: 'later' });
    t.equal(states.at(-1), 'running');
    t.ok(states.includes('restarting'));
    t.match(health.status(), { restarts: 1, events: 1 });
    t.match(health.status().lastError?.message, error);
    t.equal(await starts(), 2);
  });
}

void tap.test('a child that hangs before ready is replaced', async (t) => {
  const { sysevents, health } = await aSource(t, stay, `${ready}\n${stay}`, 300);
  t.match(await firstValueFrom(sysevents), { type: 'ready' });
  t.equal(health.status().state, 'running');
  t.ok(health.status().restarts >= 1);
  t.match(health.status().lastError?.message, /sysevent: was not ready after 0\.3 s/);
});

void tap.test('a child that is quiet for longer than that after its ready is left alone', async (t) => {
  const script = `${ready}\nsleep 1.2\n${event('late')}\n${stay}`;
  const { sysevents, health } = await aSource(t, script, script, 1_000);
  t.match(await firstValueFrom(sysevents.pipe(filter(({ type }) => type === 'zone'))), { zonename: 'late' });
  t.equal(health.status().state, 'running');
});

void tap.test('a command that is missing is tried again', async (t) => {
  const host = await temporaryHost(t);
  const health = createSourceHealth('zfs-events');
  const failed = firstValueFrom(health.state.pipe(filter((state) => state === 'restarting')));
  const seen = new Subject<unknown>();
  const first = firstValueFrom(seen);
  const subscription = fromSysevents({ host, args: [], health }).subscribe(seen);
  await failed;
  t.match(health.status().lastError?.message, /sysevent: is missing/);
  await host.script('/usr/sbin/sysevent', `${ready}\n${stay}`);
  t.match(await first, { type: 'ready' });
  subscription.unsubscribe();
});

void tap.test('pings and other events of no business are counted, and not passed on', async (t) => {
  const ping = `echo '{"type":"event","class":"status","subclass":"ping"}'`;
  const script = `${ready}\n${ping}\n${ping}\n${event('a')}\n${stay}`;
  const { sysevents, health } = await aSource(t, script, script);
  const seen = await firstValueFrom(sysevents.pipe(take(2), toArray()));
  t.match(seen, [{ type: 'ready' }, { type: 'zone' }]);
  t.equal(health.status().events, 3);
});
