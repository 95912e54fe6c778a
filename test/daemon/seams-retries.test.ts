/**
 * What cannot be read is read again ever more rarely, whatever it is that fails; and an event meanwhile costs one reading,
 * not a series of its own.
 */
import { renameSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import tap from 'tap';
import { zoneStatusLine, type SimulatedCommand, type SimulatedHost } from '../../lib/simulator/index.js';
import { zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';

/** Makes a trouble; what it returns ends it. */
type Break = (host: SimulatedHost, zonename: string) => () => void;

interface Trouble {
  readonly breaks: Break;
  /** Makes something happen, so that the daemon reads the broken input. */
  readonly happens: (host: SimulatedHost, zonename: string) => unknown;
  /** Starts of any one command in the second after it: retries of a zone's inputs, each by its own backoff. */
  readonly most?: number;
}

const commands = ['zoneadm', 'zfs', 'kstat'] as const;

const fails =
  (...failing: readonly SimulatedCommand[]): Break =>
  (host) => {
    for (const command of failing) host.setFault(command, { exitCode: 1, stderr: `${command}: out of luck` });
    return () => {
      host.clearFaults();
    };
  };

const isAway =
  (pathIn: (host: SimulatedHost, zonename: string) => string): Break =>
  (host, zonename) => {
    const [path, away] = [pathIn(host, zonename), host.path('/tmp/away')];
    renameSync(path, away);
    return () => {
      renameSync(away, path);
    };
  };

const isEmpty: Break = (host, zonename) => host.corrupt(host.xmlFile(zonename), '');

const both =
  (one: Break, other: Break): Break =>
  (host, zonename) => {
    const ends = [one(host, zonename), other(host, zonename)];
    return () => {
      for (const end of ends) end();
    };
  };

const announced = (newstate: string) => (host: SimulatedHost, zonename: string) => {
  const zoneid = host.zone(zonename).zoneid ?? -1;
  host.postEvents('zones', [
    zoneStatusLine({ publisher: 'kernel', zonename, newstate, oldstate: 'ready', zoneid }),
  ]);
};

const zoneXml = isAway((host, zonename) => host.xmlFile(zonename));
const zonesDirectory = isAway((host) => host.path('/etc/zones'));
const happens = announced('running');

const troubles: Readonly<Record<string, Trouble>> = {
  "a zone's XML is away and zoneadm fails": { breaks: both(fails('zoneadm'), zoneXml), happens },
  '/etc/zones is away and zoneadm fails': {
    breaks: both(fails('zoneadm'), zonesDirectory),
    happens,
    most: 20,
  },
  "a zone's XML is empty and zoneadm fails": { breaks: both(fails('zoneadm'), isEmpty), happens },
  'kstat fails': { breaks: fails('kstat'), happens: (host, zonename) => host.restartInit(zonename) },
  'zfs fails': {
    breaks: fails('zfs'),
    happens: (host, zonename) => host.zfs('set', 'quota=77g', `zones/${zonename}`),
  },
  'every command fails': { breaks: fails(...commands), happens },
  'a zone never gets to the state that was announced': {
    breaks: () => () => undefined,
    happens: announced('free'),
  },
};

/** How often each command is started while something is done. */
async function starts(
  host: SimulatedHost,
  act: () => Promise<unknown>,
): Promise<[SimulatedCommand, number][]> {
  host.resetInvocations();
  await act();
  return commands.map((command) => [command, host.invocations(command).length]);
}

for (const [what, { breaks, happens: happen, most = 10 }] of Object.entries(troubles)) {
  void tap.test(`${what}: commands are started ever more rarely`, async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const mend = breaks(host, zonename);
    await happen(host, zonename);
    for (const [command, count] of await starts(host, () => wait(1_000)))
      t.ok(count < most, `in a second after it fewer than ${most} ${command} (${count})`);

    const events = 50;
    const storm = async () => {
      for (let left = events; left > 0; left--) {
        await happen(host, zonename);
        await wait(5);
      }
    };
    for (const [command, count] of await starts(host, storm))
      t.ok(count < events + most, `of ${events} events at most one ${command} each (${count})`);
    for (const [command, count] of await starts(host, () => wait(1_000)))
      t.ok(count < most, `in a second after them fewer than ${most} ${command} (${count})`);

    mend();
    await daemon.rescan();
    await eventually(async () => {
      const { loadErrors, queue } = await daemon.status();
      return loadErrors.length === 0 && queue.idle;
    }, 'all is well again');
    t.equal((await daemon.vms()).length, 3);
  });
}

void tap.test(
  'an XML that is away for a moment is not taken for gone because events come meanwhile',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const listening = await daemon.listen();
    host.resetInvocations();
    await host.deleteXml(zonename);
    while (host.invocations('zoneadm').length < 6) {
      happens(host, zonename);
      await wait(1);
    }
    await host.rewriteXml(zonename);
    await eventually(async () => (await daemon.status()).queue.idle, 'nothing is left to read');
    t.notOk(
      listening.events.some(({ type }) => type === 'delete'),
      'the VM was there all the time',
    );
  },
);
