/** The daemon: flags in, exit code out. vminfod(8). */
import { Command, InvalidArgumentError, Option } from 'commander';
import { fromEvent, map } from 'rxjs';
import { defaultListen, defaultPort, defaultRescanIntervalMs, sink } from '../lib/config.js';
import { MissingCommandError, startDaemon, TooFewDescriptorsError, type Daemon } from '../lib/daemon.js';
import { endBySignal } from '../lib/end-process.js';
import { isLoopback } from '../lib/http/hosts.js';
import { ListenError } from '../lib/http/server.js';
import { createLog, logLevels, type LogLevel } from '../lib/log.js';
import { parsePeriodMs } from '../lib/period.js';
import { append, parsePort } from '../lib/option-values.js';
import { Sink } from '../lib/sink.js';
import { version } from '../lib/version.js';

interface Flags {
  readonly root: string;
  readonly listen: string | false;
  readonly port: number;
  readonly socket?: string;
  readonly allowHost: readonly string[];
  readonly allowRemote: boolean;
  readonly page: boolean;
  readonly rescanInterval: number;
  readonly logLevel: LogLevel;
}

const { lastWordsMs } = sink;

const command = new Command('vminfod')
  .description(
    'Keeps the VM objects of a SmartOS global zone fresh in memory, and serves and streams them over HTTP.',
  )
  .option('--root <dir>', 'directory under which all files and commands of the host are', '/')
  .option('--listen <address>', 'address to listen on', defaultListen)
  .option('--port <port>', 'port to listen on; 0 picks a free one', parsePort, defaultPort)
  .option('--no-listen', 'do not listen on TCP, only on --socket')
  .option('--socket <path>', 'Unix socket to listen on, open to its owner only')
  .option(
    '--allow-host <name>',
    'name that requests may use in their Host header; may be repeated',
    append,
    [],
  )
  .option('--allow-remote', 'allow --listen on an address that other hosts can reach', false)
  .option('--no-page', 'serve no page to browsers, only JSON')
  .addOption(
    new Option('--rescan-interval <period>', 'how often everything is read afresh, e.g. 300s, 5m, 500ms')
      .argParser(parsePeriod)
      .default(defaultRescanIntervalMs, '5m'),
  )
  .addOption(new Option('--log-level <level>', 'lowest level to log').choices(logLevels).default('info'))
  .version(version)
  .allowExcessArguments(false)
  .parse();

const { root, listen, port, socket, allowHost, allowRemote, page, rescanInterval, logLevel } =
  command.opts<Flags>();
if (listen === false && socket === undefined) command.error('error: --no-listen needs --socket');
if (listen !== false && !isLoopback(listen) && !allowRemote) {
  command.error(
    `error: other hosts can reach ${listen}, and VM objects hold passwords and keys; --allow-remote allows it`,
  );
}
const stdout = new Sink(1);
const log = createLog('vminfod', logLevel, stdout);

let daemon: Daemon | undefined;

process.on('uncaughtException', (error) => {
  // Half a daemon is worse than none: SMF restarts it.
  log.fatal({ err: error }, `unexpected: ${error.message}`);
  void end(`unexpected: ${error.stack ?? error.message}`);
});
// Node would print warnings to stderr, which may block us.
process.removeAllListeners('warning').on('warning', (warning) => {
  log.warn({ err: warning }, warning.message);
});

// Not awaited at the top level: in CommonJS, which the build makes of it, that is not possible.
void run();

/** Until the daemon ends, and the process with it. */
async function run(): Promise<void> {
  try {
    const hangups = fromEvent(process, 'SIGHUP').pipe(
      map(() => ({ type: 'everything', reason: 'SIGHUP' }) as const),
    );
    const running = await startDaemon({
      root,
      listen: listen === false ? undefined : listen,
      port,
      allowedHosts: allowHost,
      socket,
      page,
      rescanIntervalMs: rescanInterval,
      log,
      logStatus: () => stdout.status,
      requests: hangups,
    });
    daemon = running;
    if (listen !== false && !isLoopback(listen)) {
      log.warn(`other hosts can read all VMs, with their passwords and keys, at ${running.url}`);
    }
    const stop = (signal: 'SIGTERM' | 'SIGINT') => {
      log.info(`${signal}: stopping`);
      void running.close().then(() => {
        if (running.isStuck()) endBySignal(signal);
      });
    };
    // `on`, not `once`: a second signal must not end us before the children are gone.
    process.on('SIGTERM', stop).on('SIGINT', stop);
    await running.ended;
    await running.close();
    if (!(await stdout.drained(lastWordsMs))) await leave(0);
  } catch (error) {
    const isForOperators = [ListenError, MissingCommandError, TooFewDescriptorsError].some(
      (each) => error instanceof each,
    );
    if (!isForOperators) throw error;
    await end((error as Error).message);
  }
}

/** Ends with status 1, and says why on stderr too, in case the log cannot be written. */
async function end(why: string): Promise<void> {
  const stderr = new Sink(2);
  stderr.write(`vminfod: ${why}\n`);
  await Promise.all([stdout.drained(lastWordsMs), stderr.drained(lastWordsMs)]);
  await leave(1);
}

async function leave(status: number): Promise<void> {
  const isWritten = await stdout.returned(lastWordsMs);
  if (!isWritten || daemon?.isStuck() === true) endBySignal('SIGKILL');
  process.exit(status);
}

function parsePeriod(text: string): number {
  try {
    return parsePeriodMs(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
