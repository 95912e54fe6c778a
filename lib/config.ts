/**
 * Every limit, timeout and period of the daemon, with its unit and its reason. Constants only.
 */

/** Where the platform's vminfod listens, so that its clients find us. */
export const defaultPort = 9090;
export const defaultListen = '127.0.0.1';

/**
 * How much the heap may grow beyond what is in use before it is collected. In a storm of events this costs a quarter of
 * their CPU time.
 */
export const heapGrowthPercent = 25;

/** Bytes of bytecode that a function has run between two looks at whether to optimize it. */
export const optimizeAfterBytes = {
  /** From 300,000 to 1,200,000 a start takes the same CPU time. */
  atStart: 500_000,
  /** V8's own value, in Node 20. */
  usually: 67_584,
} as const;

/** The platform's period. A rescan costs about what the first load did. */
export const defaultRescanIntervalMs = 300_000;

export const rescanTimer = {
  /** The first rescan comes within this time: what was missed while the host booted should not wait for minutes. */
  firstMaxMs: 60_000,
} as const;

export const sysevents = {
  /** sysevent(8) prints `ready` within milliseconds; a loaded host may need seconds. */
  readyTimeoutMs: 30_000,
  /** The first load waits this long for `ready`, then goes ahead: a rescan follows a late `ready`. */
  patienceMs: 3_000,
  /** An event is under 1 KiB; user properties reach 8 KiB. */
  maxLineBytes: 256 * 1024,
  killAfterMs: 1_000,
} as const;

/** Waits between restarts of a source or retries of a failed read: short at first, at most half a minute. */
export const backoffLimits = {
  minMs: 200,
  maxMs: 30_000,
  /** A child that lived this long was not broken from the start. */
  healthyAfterMs: 10_000,
} as const;

export const fileWatches = {
  /** How often a file that cannot be watched (out of watches or descriptors, or not there yet) is checked. */
  pollMs: 1_000,
  /** Stat calls in one turn of the event loop: they take about a millisecond. */
  statsPerTurn: 200,
} as const;

/** The threads that touch files (lib/host/file-threads.ts): a file system that hangs blocks the thread that uses it. */
export const fileThreads = {
  /** How often threads are checked for progress, ms. */
  lookMs: 100,
  /**
   * Checks in a row that find a thread at the very same task before it counts as stuck and another takes over. Checks are
   * counted, not milliseconds, so that a machine too busy to run us does not make a thread seem stuck.
   */
  looksUntilStuck: 4,
  /**
   * How long a zone's files may take to answer before reading them fails, ms: a loaded pool needs a second, a suspended
   * one never answers.
   */
  readTimeoutMs: 2_000,
  /**
   * Threads that may be stuck: each takes some megabytes and, where watches are limited, its watches. With more, all
   * zones wait.
   */
  maxStuck: 8,
  /** A zone that hangs again within this time of coming back is left alone for longer each time, ms. */
  calmMs: 60_000,
  /** Megabytes of heap: a young generation for the garbage of parsing an XML; the old one holds the largest files at once. */
  youngGenerationMb: 4,
  oldGenerationMb: 256,
  /** Answers that a thread collects for one message: half of those to the zones that are read at a time. */
  newsPerMessage: 32,
  /** A changed file that is larger is read when it is asked for, not before, so that what nobody has heard yet stays small. */
  readAheadMaxBytes: 64 * 1024,
  /** Zone XMLs parsed before they are asked for, with what was made of them, UTF-16 units: a few hundred. */
  parseAheadMaxChars: 2 * 2 ** 20,
  /** How long the daemon waits for a thread to end when it stops, ms. One that is not stuck needs milliseconds. */
  endMs: 500,
} as const;

/** Warnings about VMs that are remembered, so that each is logged once. */
export const maxWarnings = 10_000;

/** How requests to read are coalesced; see operators/coalesce.ts. */
export const reloads = {
  /** Runs at a time in one lane. */
  maxRuns: 8,
  /** A read of one zone or dataset takes milliseconds: after this, others no longer wait for it. */
  slowAfterMs: 100,
  /** Datasets in one `zfs list`: keeps the command line far under any limit. */
  maxBatch: 500,
  /** A listing of several datasets that takes longer is given up, and each is listed alone. The limit is this, */
  sharedListingTimeoutMs: 2_000,
  /** plus this for each dataset. A host so busy that one listing is slow must not get hundreds of them instead. */
  sharedListingMsPerDataset: 50,
  /** Datasets of no VM wait this long and are then listed together: nobody waits for them. */
  unusedDatasetDelayMs: 500,
  /** More datasets of no VM than this are cheaper to list with everything. */
  maxUnusedDatasets: 256,
  /** Zones read at a time. Files are read one after the other; commands can be waited for together. */
  maxZoneReads: 32,
} as const;

/** Measurements kept until prom-client is loaded, about 100 bytes each. At this many it is loaded. */
export const maxWaitingCounts = 1_000;

/** How long work on many things, such as assembling VMs, may hold the event loop before it gives way. */
export const sliceMs = 4;

/** How often a zone is reread when zoneadm does not show yet what the kernel announced, and after how long each time. */
export const newstateRetriesMs: readonly number[] = [10, 30, 100, 300, 1000];

/** How often a missing XML is looked for again before its VM is deleted: `mv` from another filesystem deletes first. */
export const goneRetriesMs: readonly number[] = [20, 50, 130, 300];

/** Invalidations held during the first load, one per key. If there are more, a rescan is cheaper. */
export const heldInvalidations = {
  max: 10_000,
  replaceWith: { type: 'everything', reason: 'too much happened during the first load' },
} as const;

export const rescanLog = {
  /** As in the platform's `/status`. */
  maxRecords: 10,
  maxFailures: 5,
  /** Differences kept of one rescan: a host that was suspended for an hour finds all VMs changed. */
  maxFound: 1_000,
  /** How many of the changes that events missed the log names. */
  maxExamples: 10,
  /**
   * A source that reports a zone this soon after a rescan found it changed has not missed the change: the rescan was just
   * quicker.
   */
  graceMs: 500,
} as const;

// Host: reading the system (lib/host).

/** Milliseconds that zoneadm and kstat may take. They usually take tens; past this the kernel or a lock is stuck. */
export const commandTimeoutMs = 10_000;

/** Milliseconds that a `zfs list` of named datasets may take: hundreds when the pool is loaded, but never minutes. */
export const zfsListTimeoutMs = 30_000;

/** Milliseconds that a full `zfs list` may take: minutes are normal with many snapshots on a loaded host. */
export const zfsFullListTimeoutMs = 15 * 60_000;

/** Bytes of each of a command's outputs. A line of `zfs list` has about 150, so this is about 800,000 snapshots. */
export const commandMaxBytes = 128 * 1024 * 1024;

/** Bytes of a file that we read whole. metadata.json, the largest, has a few hundred KiB at most. */
export const fileMaxBytes = 16 * 1024 * 1024;

/** Shells kept for the next command: as many as a busy daemon runs commands at a time. Each is a megabyte or less. */
export const maxIdleShells = 8;

/** Characters of a command's stderr, or of an unreadable line, that an error keeps: enough to see what it says. */
export const errorTextMaxChars = 2_000;

/** Unreadable lines in one listing before all of it is refused: then it is no listing at all. */
export const listingMaxErrors = 100;

/** Lines of `zfs list` parsed between checks whether to yield the event loop: some tenths of a millisecond. */
export const zfsLinesPerStep = 50;

/** For more zones than this, zoneadm and kstat list all zones once instead of one by one. */
export const maxZonesAskedFor = 2;

// Queries

/** Parts of a dotted key such as `tags.triton.cns.services`. Nothing in a VM is as deep; it bounds what a query can cost. */
export const maxSelectorKeys = 32;

/** Characters of a `~regex` in a filter: more than anyone types, and quick to compile. */
export const maxPatternLength = 128;

/**
 * Instructions of a compiled `~regex`. Matching is linear in the text, but each character can cost as many steps as there
 * are instructions: 100 keep the worst case at a few microseconds a character, and are twice what a pattern for a UUID
 * needs.
 */
export const maxPatternInstructions = 100;

// The event log (lib/cache/event-log.ts): what a listener that lost its connection can catch up with.

export const eventLog = {
  /** An hour on a calm host, or some seconds of the worst storm: a reconnect takes under a second. */
  maxEvents: 2_000,
  /** Bytes of the JSON of VMs in it. Each VM's version before its first change in it may add as much again. */
  maxBytes: 4 * 1024 * 1024,
} as const;

/** What `/changes` gives of the event log. */
export const pastEventLimits = {
  /** Events in an answer by default: some screens full. */
  defaultLimit: 100,
  /** Events in an answer, at most: with their VMs, some megabytes. */
  maxLimit: 1_000,
  /** Events made in one turn: their VMs are parsed, which takes about a millisecond. */
  perTurn: 50,
} as const;

// The log (lib/sink.ts)

export const sink = {
  /** Unwritten bytes kept: some thousand lines, the worst minute of a host. Anything more is lost. */
  maxUnwrittenBytes: 1024 * 1024,
  /** Bytes in one write: what a pipe takes at a time. */
  maxWriteBytes: 64 * 1024,
  /** How soon a full pipe or terminal is retried, ms: a live reader has made room by then. */
  retryFullMs: 50,
  /** How soon a failed write is retried, ms: a full disk, a reader that is gone. */
  retryFailedMs: 1_000,
  /** How long the process waits at its end for unwritten lines, ms. */
  lastWordsMs: 500,
} as const;

// HTTP

export const http = {
  /** How long `?sync=true` waits for a fresh reading. */
  syncTimeoutMs: 30_000,
  /** Connections have this long to end when the daemon stops; it should be gone within a second or two. */
  closeGraceMs: 1_000,
  /**
   * Connections at a time, for TCP and again for the Unix socket: twice as many as listeners, so that there is room for other
   * requests, and far below what a process may open. One more ends the oldest that is idle.
   */
  maxConnections: 4_000,
  /** How often the log says that there are too many connections or listeners, at most. */
  crowdedLogMs: 60_000,
  /** Descriptors that the daemon must be able to open when it starts: for its files, watches and commands, and some clients. */
  leastDescriptors: 200,
  /** Bytes of a request's line and headers; ours need a few hundred. */
  maxHeaderBytes: 16 * 1024,
  /** How long a request's headers, and all of it, may take to arrive: on a loopback they come in one piece. */
  requestTimeoutMs: 10_000,
  /** How often requests are checked for taking too long. */
  checkIntervalMs: 1_000,
  /**
   * How long an idle connection is kept. Clients are told the whole seconds; the rest is a margin for one that sends a
   * request at the last moment, just as the connection would be closed.
   */
  keepAliveMs: 5_900,
  /** How long a client may take to read an answer: on a loopback it takes milliseconds. A slower client is cut off. */
  writeDeadlineMs: 30_000,
  /** Distinct large answers that may be in transit at a time; more requests get 503. Each may be a copy of all VMs. */
  maxAnswersUnsent: 64,
  /** Bytes that make an answer large: smaller ones fit into what the kernel buffers. */
  largeAnswerBytes: 256 * 1024,
  /** Conditions in one filter: each costs up to some microseconds per VM and event. */
  maxConditions: 32,
  /** How hard `/vms` is compressed: the lowest level makes a tenth of it, in a third of the default's time. */
  gzipLevel: 1,
} as const;

export const listeners = {
  /** Listeners at a time; more get 503. Each costs a write per event, so this many cost some tens of milliseconds. */
  maxListeners: 2_000,
  /** As many more on the Unix socket, which its owner alone can open: whatever others do, an operator gets in. */
  maxReservedListeners: 64,
  /**
   * Unsent bytes, beside its `ready`, at which a listener is cut off: some thousand events. The bytes of an event are one
   * buffer for all listeners with the same parameters, so those who stall together do not multiply it.
   */
  maxUnsentBytes: 16 * 1024 * 1024,
  /** Distinct `ready` snapshots that may be in transit at a time; more listeners get 503. Each is a copy of all VMs. */
  maxSnapshotsUnsent: 16,
  /** How long a listener's oldest unsent byte may wait: a live reader on the same host is milliseconds behind. */
  writeDeadlineMs: 30_000,
  /** A listener that is cut off has this long to read what has already been sent. */
  overflowGraceMs: 2_000,
  /** How often deadlines, grace periods and heartbeats are checked. */
  tickMs: 1_000,
  /**
   * Bytes of missed events written at a time; the next wait until these are sent, so a listener catches up as fast as it
   * reads.
   */
  catchUpBytes: 256 * 1024,
  /** From this size on, a part of an event's bytes is written as it is: copying it costs more than writing one part more. */
  sharedPartBytes: 8 * 1024,
  /** Missed events serialised in one turn: about a millisecond. */
  catchUpEvents: 100,
  /** Maximum seconds between heartbeats. The minimum is one. */
  maxHeartbeatSeconds: 3_600,
  /** How soon a browser reconnects, ms; a random delay of up to as much again is added. */
  browserRetryMs: 500,
} as const;

// The client (lib/client) and vminfo.

/** How long a request may take unless one says otherwise: the answer is made from memory. */
export const requestTimeoutMs = 30_000;

/** The same for `?sync=true`: longer than the daemon's own limit, so that the daemon's more precise error arrives first. */
export const syncRequestTimeoutMs = 35_000;

/** How long `vminfo ping` and `vminfo doctor` wait: a health check must fail soon. */
export const checkTimeoutMs = 5_000;

/** From asking for /events to its `ready` line. A snapshot of 1000 VMs takes well under a second. */
export const readyTimeoutMs = 30_000;

/** The longest line of an event stream: a `ready` of 1000 VMs is about 5 MB. */
export const maxLineBytes = 256 * 1024 * 1024;

/** How long an idle connection is kept for the next request. */
export const keepAliveMs = 2_000;

/** Reconnects wait a random time up to this, doubling with each failure: a whole fleet must not come back at the same moment. */
export const reconnectMinMs = 100;

/** The longest wait before a reconnect: how late a client may notice that the daemon is back. */
export const reconnectMaxMs = 5_000;

/** A connection that lived this long counts as good: the next reconnect starts at `reconnectMinMs` again. */
export const stableConnectionMs = 1_000;

/** How often the client asks the daemon for a sign of life, unless one says otherwise. */
export const heartbeatSeconds = 15;

/** Periods without an event or heartbeat after which a daemon that promised heartbeats is considered gone. */
export const silentPeriods = 2;

/** Changes that a reader of `watch()` may leave unread: about 100 MB of VM objects at 3 KB each, parsed. */
export const maxUnreadEvents = 10_000;

/** VMs that `vminfo sync` has read at a time: few enough connections for any daemon, enough to share its commands. */
export const maxSyncs = 64;

/** How long `vminfo wait` waits, seconds, unless told otherwise: a VM boots or stops in less, and a script must not hang for ever. */
export const defaultWaitSeconds = 600;

/** `GET /usage`: how much disk space VMs have used. */
export const usageLimits = {
  /** How old an answer may be, ms: the host is not asked more often, and people who watch do not mind. */
  maxAgeMs: 5_000,
} as const;

/** How often the views ask for `/usage`, ms: disks fill slowly. */
export const usageIntervalMs = 10_000;

/** Rescans in a row that may be missing before `vminfo doctor` calls it trouble. One can be slow. */
export const missedRescans = 3;

/** `vminfo top`. */
export const top = {
  /**
   * Shortest time between redraws for events, ms; a lone event and the effect of a key are drawn at once. At this rate 100
   * changes a second among 1,000 VMs cost an eighth of a core.
   */
  redrawMs: 500,
  /** How often ages are redrawn while nothing else is, ms. */
  tickMs: 1_000,
  /** How often it asks for /status, ms: for the sources' health and the age of the last rescan. */
  statusMs: 5_000,
  /** How long a changed row is marked, ms: long enough to find it with the eye. */
  markMs: 5_000,
  /** How long the notice of a restored connection is shown, ms. */
  noteMs: 10_000,
  /** Changes remembered: some hundred bytes each. */
  maxEntries: 500,
} as const;

// The fleet (lib/fleet): a host's VMs in NATS JetStream, and their readers.

export const fleet = {
  /** Messages kept of each VM: the one that a reader has seen last, by which it recognises the stream, and 8 changes that it may be behind without missing one. 64 is NATS's limit for a bucket. */
  historyPerVm: 9,
  /** The stream's size unless `fleet init` says otherwise. A VM takes about 4 KiB a message, so 9 messages of nearly 30,000 VMs. */
  defaultMaxBytes: 1024 ** 3,
  /** The bucket of hosts: a kilobyte a host, one message each. */
  hostsMaxBytes: 64 * 1024 ** 2,
  /** How long the server remembers message ids. A publisher retries for far less. */
  duplicateWindowMs: 120_000,
  /** Messages sent but not yet acknowledged: enough to fill a round trip of a millisecond, few enough to resend. */
  maxInFlight: 32,
  /** How long an acknowledgement or an answer of NATS's may take. An fsync of a busy disk takes tens of milliseconds; a cluster without a leader does not answer. */
  requestTimeoutMs: 3_000,
  /** How long the acknowledgement of a VM's message may take: one that was sent just before a new leader is elected is lost, and must not delay the next for long. */
  ackTimeoutMs: 2_000,
  /**
   * How long a consumer's answer is waited for until another is begun, ms; the sum is the longest that an answer may take. A
   * cluster answers in milliseconds, if it does at all; one with 500,000 VMs may need a second.
   */
  consumerWaitsMs: [1_000, 1_000, 2_000],
  /** How long a connection may take. A server that is stopped accepts it, and must not hold up the next for long. */
  connectTimeoutMs: 2_000,
  /** A publisher's first wait between attempts; it doubles up to `backoffMaxMs`, and a random half to all of it is used. */
  backoffMinMs: 1_000,
  backoffMaxMs: 30_000,
  /** Its longest wait while NATS is away or another publisher has the host: one small request, of 5,000 hosts 3,500 a second. */
  awayMaxMs: 2_000,
  /** How often a host reports that it is alive, and its health. */
  heartbeatMs: 10_000,
  /** A host unheard of for three heartbeats is stale: one may be late. */
  staleAfterMs: 30_000,
  /** How often a reader that follows the fleet looks whether a host has become stale. */
  staleCheckMs: 1_000,
  /** How often a publisher looks at what the stream has of its host: headers only, some milliseconds. */
  compareIntervalMs: 60_000,
  /** VMs about which the daemon is asked at a time whether they are gone. */
  maxQuestions: 8,
  /** How often the server sends a heartbeat when idle; after two missed ones the reader starts over. */
  idleHeartbeatMs: 1_000,
  /** `fleet gc` removes the markers of VMs that have been gone for this: no reader that resumes has been away that long. */
  markerMs: 7 * 24 * 3_600_000,
  /** Messages read at first for the latest changes: some times more than a screen shows. If too few are asked for, four times more. */
  pastStep: 400,
  /** Where `fleet serve` listens by default: beside the daemon of a host. */
  gatewayPort: 9091,
  /** How full the stream may be before `fleet doctor` warns: early enough to act. */
  fullPercent: 80,
  /** A consumer whose reader is gone is removed by the server after this. */
  consumerInactiveMs: 30_000,
  /** The wait before reconnecting to a server: this plus up to the jitter, so that a fleet does not come back all at once. */
  reconnectWaitMs: 500,
  reconnectJitterMs: 1_500,
  /** How often the server is asked for a sign of life; after two missed ones, so within 6 s, another server is used. A cluster of three serves 2,500 pings a second of 5,000 hosts with ease. */
  pingIntervalMs: 2_000,
} as const;
