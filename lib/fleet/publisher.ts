/**
 * Publishes a host's VMs, as the local daemon reports them, into the stream.
 *
 * It works in rounds: take the host's record, compare both sides, then write changes until something is wrong (a missing
 * answer, a subject that somebody else wrote, a lost connection); then start over. So there is one remedy for every
 * problem.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { VminfodClient } from '../client/client.js';
import { VminfodError } from '../client/errors.js';
import { joinSignals } from '../client/join-signals.js';
import { fleet as limits } from '../config.js';
import { Backoff } from './backoff.js';
import type { Nats } from './connection.js';
import { ConflictError, FleetError, FullError } from './errors.js';
import { HostSide } from './follow-host.js';
import type { DaemonRecord, HostRecord, PublisherCounter } from './host-record.js';
import { Lease } from './lease.js';
import { digestOf } from './message.js';
import { hostName, type HostId } from './names.js';
import { lastMessage, observe } from './observe.js';
import { Reconciler, type Write } from './reconciler.js';
import type { RedactionOptions } from './redact.js';
import { Round } from './round.js';
import { writeVm } from './write-vm.js';

/** The facts in a host's record that the publisher does not determine itself. */
export type HostFacts = Pick<HostRecord, 'hostname' | 'sysinfo'> &
  Pick<HostRecord['publisher'], 'machine' | 'version'>;

export interface PublisherOptions extends RedactionOptions {
  readonly nats: Nats;
  readonly client: VminfodClient;
  readonly host: HostId;
  readonly facts: HostFacts;
  readonly log: Logger;
  /** Called at the start, with a function that gives the host's record as it would be written now. */
  readonly expose?: (record: () => HostRecord) => void;
  /** Ends it; the host's record is released for the next publisher. */
  readonly signal: AbortSignal;
}

/** Publishes until the signal. Rejects only with errors that should never happen. */
export async function publish(options: PublisherOptions): Promise<void> {
  await new Publisher(options).run();
}

/** Why a round ended although nothing is wrong. */
class Again extends Error {}

class Publisher {
  readonly #options: PublisherOptions;
  readonly #reconciler = new Reconciler();
  readonly #hostSide: HostSide;
  readonly #lease: Lease;
  readonly #backoff = new Backoff(limits.backoffMinMs, limits.backoffMaxMs);
  readonly #counters: Record<PublisherCounter, number> = {
    written: 0,
    coalesced: 0,
    conflicts: 0,
    full: 0,
    failures: 0,
    comparisons: 0,
  };
  #daemon: DaemonRecord | undefined;
  #trouble: HostRecord['publisher']['trouble'];
  #seq = 0;
  #lastWrite: { readonly zonename: string; readonly revision: number } | undefined;
  /** Our epoch, and the last message that was there when it began. */
  #begun: { readonly epoch: number; readonly revision: number } | undefined;
  #round: Round | undefined;
  #isLoaded = false;
  #wake = new AbortController();

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#hostSide = new HostSide({ ...options, reconciler: this.#reconciler });
    this.#lease = new Lease(options.host);
  }

  async run(): Promise<void> {
    const { signal, log, nats, expose } = this.#options;
    expose?.(() => this.#record(this.#lease));
    const follow = this.#hostSide.follow(
      {
        onReady: () => {
          this.#isLoaded = true;
          this.#again('the daemon told all its VMs');
        },
        onChange: () => this.#round?.kick(),
        onTrouble: (error) => {
          log.warn(`no events from the daemon: ${error.message}`);
        },
      },
      signal,
    );
    void this.#watchConnection();
    const parts = [follow, this.#heartbeats(), this.#compareNowAndThen(), this.#rounds()];
    await Promise.all(parts).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    // A heartbeat or a message may still be under way.
    await Promise.allSettled(parts);
    if (!this.#lease.isHeld) return;
    await this.#lease
      .renew(nats, (held) => this.#record(held, true))
      .catch((error: unknown) => {
        log.warn(`the record of this host could not be given up: ${(error as Error).message}`);
      });
  }

  /** Ends the round and begins another. */
  #again(why: string): void {
    const reason = new Again(why);
    this.#round?.end(reason);
    this.#wake.abort(reason);
  }

  async #rounds(): Promise<never> {
    const { signal, log } = this.#options;
    for (;;) {
      this.#wake = new AbortController();
      const reason = await this.#oneRound().catch((error: unknown) => error as Error);
      signal.throwIfAborted();
      if (!(reason instanceof VminfodError || reason instanceof Again)) throw reason;
      log.debug(`comparing again: ${reason.message}`);
      if (reason instanceof Again) continue;
      this.#isTroubled(reason);
      // Without room only an operator helps; without a server or a leader, seconds may.
      const maxMs = reason instanceof FullError ? limits.backoffMaxMs : limits.awayMaxMs;
      await this.#sleep(Math.min(this.#backoff.next(), maxMs));
    }
  }

  /** One round, from the beginning. Returns why another is needed. */
  async #oneRound(): Promise<Error> {
    const { nats, host, log, signal } = this.#options;
    if (!this.#lease.isHeld) {
      let told: DaemonRecord | undefined;
      const holder = await this.#lease.take(nats, (held) => {
        told = this.#daemon;
        return this.#record(held);
      });
      if (holder) {
        const { instance, machine, pid } = holder;
        return new FleetError(
          `${hostName(host)} is published by another: process ${pid} on ${machine}, instance ${instance}; waiting for its end`,
        );
      }
      // The daemon has answered meanwhile: nobody need wait for that until the next heartbeat.
      if (this.#daemon !== told) await this.#lease.renew(nats, (held) => this.#record(held));
    }
    if (!this.#isLoaded) {
      await this.#sleep(limits.heartbeatMs);
      return new Again('the daemon has not loaded yet');
    }
    await this.#compare();
    this.#lastWrite = undefined;
    log.debug(
      `compared: ${this.#reconciler.behind} of ${this.#reconciler.wanted.size} VMs are to be written`,
    );
    const round = new Round({ reconciler: this.#reconciler, write: (write) => this.#write(write) });
    this.#round = round;
    const onAbort = () => {
      round.end(new Again('the end'));
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted || this.#wake.signal.aborted) onAbort();
    round.kick();
    if (this.#reconciler.behind === 0) this.#isWell();
    try {
      return await round.over;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#round = undefined;
    }
  }

  /** Looks at both sides. */
  async #compare(): Promise<void> {
    const { nats, host, signal } = this.#options;
    const joined = joinSignals(signal, this.#wake.signal);
    this.#counters.comparisons++;
    const { epoch } = this.#lease;
    const begun = this.#begun?.epoch === epoch ? this.#begun : undefined;
    try {
      const stored = await observe(nats, host, { signal: joined.signal, late: begun });
      this.#reconciler.observe(stored);
      this.#begun = begun ?? { epoch, revision: this.#reconciler.revision };
      await this.#hostSide.account(this.#reconciler.unaccounted(), joined.signal);
    } finally {
      joined.release();
    }
  }

  async #write(write: Write): Promise<number | undefined> {
    const { nats, host, log } = this.#options;
    const { instance, epoch } = this.#lease;
    const revision = await writeVm({ nats, host, instance, epoch, seq: ++this.#seq }, write);
    if (revision === undefined) {
      log.error(`${write.zonename} is larger than NATS takes: it is not published as it is now`);
      return undefined;
    }
    this.#counters.written++;
    this.#counters.coalesced += write.coalesced;
    this.#lastWrite = { zonename: write.zonename, revision };
    this.#isWell();
    return revision;
  }

  /** Reports every ten seconds that the host is alive, and checks that the last message written is still there. */
  async #heartbeats(): Promise<never> {
    const { nats, client, host, log, signal } = this.#options;
    for (;;) {
      this.#daemon = await client
        .status({ signal })
        .then(({ state, sources = [], loadErrors = [] }) => ({
          state,
          sources: Object.fromEntries(sources.map((source) => [source.name, source.state])),
          loadErrors: loadErrors.length,
        }))
        .catch(() => undefined); // The record shows that it does not answer.
      try {
        if (this.#lease.isHeld) await this.#lease.renew(nats, (held) => this.#record(held));
        const last = this.#lastWrite;
        const stored = last && (await lastMessage(nats, { ...host, zonename: last.zonename }));
        if (last && (stored?.revision ?? 0) < last.revision)
          this.#again('NATS has lost what it had acknowledged');
      } catch (error) {
        signal.throwIfAborted();
        log.debug(`no heartbeat: ${(error as Error).message}`);
        if (error instanceof ConflictError) this.#again(error.message);
      }
      await sleep(limits.heartbeatMs, undefined, { signal });
    }
  }

  async #compareNowAndThen(): Promise<never> {
    for (;;) {
      // Spread out, so that a fleet does not compare all at once.
      const ms = limits.compareIntervalMs * (0.75 + Math.random() / 2);
      await sleep(ms, undefined, { signal: this.#options.signal });
      this.#again('it is time');
    }
  }

  async #watchConnection(): Promise<void> {
    const { log, nats } = this.#options;
    for await (const { type } of nats.connection.status()) {
      if (type === 'disconnect') log.warn('the connection to NATS is lost');
      if (type !== 'reconnect') continue;
      log.info(`connected to NATS at ${nats.connection.getServer()}`);
      this.#again('connected again');
    }
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#options;
    const joined = joinSignals(signal, this.#wake.signal);
    await sleep(ms, undefined, { signal: joined.signal }).catch(() => {
      signal.throwIfAborted();
    });
    joined.release();
  }

  #isTroubled(error: VminfodError): void {
    const { code, message } = error;
    this.#counters[
      error instanceof ConflictError ? 'conflicts' : error instanceof FullError ? 'full' : 'failures'
    ]++;
    if (this.#trouble?.message === message) return;
    this.#options.log.warn(message);
    this.#trouble = { code, message, since: this.#trouble?.since ?? new Date().toISOString() };
  }

  #isWell(): void {
    this.#backoff.reset();
    if (this.#trouble) this.#options.log.info('publishing again');
    this.#trouble = undefined;
  }

  #record({ instance, epoch }: { instance: string; epoch: number }, released = false): HostRecord {
    const { hostname, sysinfo, machine, version } = this.#options.facts;
    const wanted = [...this.#reconciler.wanted];
    const states: Record<string, number> = {};
    for (const [, { vm }] of wanted) states[vm.state] = (states[vm.state] ?? 0) + 1;
    return {
      hostname,
      at: new Date().toISOString(),
      publisher: {
        instance,
        epoch,
        version,
        pid: process.pid,
        machine,
        seq: this.#seq,
        revision: this.#reconciler.revision,
        released,
        behind: this.#reconciler.behind,
        refused: this.#reconciler.refused,
        ...(this.#trouble && { trouble: this.#trouble }),
        counters: { ...this.#counters },
      },
      ...(this.#daemon && { daemon: this.#daemon }),
      sysinfo,
      vms: { total: wanted.length, states },
      digest: digestOf(wanted.map(([zonename, { hash }]) => [zonename, hash] as const)),
    };
  }
}
