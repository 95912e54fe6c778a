#!/usr/bin/env node
/** Publishes this host's VMs into NATS JetStream: flags in, exit code out. vminfod-publisher(8). */
import { hostname } from 'node:os';
import { Command, Option } from 'commander';
import { VminfodClient, defaultUrl } from '../lib/client/client.js';
import { VminfodError } from '../lib/client/errors.js';
import { defaultListen, http as limits } from '../lib/config.js';
import { connectNats, connectPatiently, withoutLogin } from '../lib/fleet/connection.js';
import {
  addNatsFlags,
  list,
  natsOptions,
  readSettings,
  SettingsError,
  type NatsFlags,
} from '../lib/fleet/nats-flags.js';
import { hostName } from '../lib/fleet/names.js';
import type { HostRecord } from '../lib/fleet/host-record.js';
import { publisherMetrics } from '../lib/fleet/metrics.js';
import { plan } from '../lib/fleet/plan.js';
import { publish } from '../lib/fleet/publisher.js';
import { createHost } from '../lib/host/host.js';
import { readSysinfo } from '../lib/host/sysinfo.js';
import { replyError } from '../lib/http/reply.js';
import { ListenError, listenOnPort, type HttpServer } from '../lib/http/server.js';
import { createLog, logLevels, type LogLevel } from '../lib/log.js';
import { Sink } from '../lib/sink.js';
import { version } from '../lib/version.js';

interface Flags extends NatsFlags {
  readonly config?: string;
  readonly url: string;
  readonly root: string;
  readonly datacenter?: string;
  readonly serverUuid?: string;
  readonly hostname: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly dryRun: boolean;
  readonly metrics?: string;
  readonly logLevel: LogLevel;
}

const command = addNatsFlags(
  new Command('vminfod-publisher')
    .description("Publishes the VMs of this host, as its vminfod has them, into the fleet's NATS JetStream.")
    .option('--config <file>', 'JSON file with any of these settings; flags take precedence'),
)
  .option('--url <url>', 'the daemon: http://host:port, or unix:/path', defaultUrl)
  .option('--root <dir>', 'directory under which the files of the host are', '/')
  .option('--datacenter <name>', "the datacenter's name; default: from sysinfo")
  .option('--server-uuid <uuid>', "the host's UUID; default: from sysinfo")
  .option('--hostname <name>', "the host's name, for people", hostname())
  .option('--include <names>', 'names of properties to publish although they are secret', list, [])
  .option('--exclude <names>', 'names of further properties not to publish', list, [])
  .option('--metrics <address>', 'serve GET /metrics there: port, or address:port')
  .option('--dry-run', 'print what would be written, and end', false)
  .addOption(new Option('--log-level <level>', 'lowest level to log').choices(logLevels).default('info'))
  .version(version)
  .allowExcessArguments(false)
  .parse();

const stopped = new AbortController();
// `on`, not `once`: a second signal must not end the process while it releases the host's record.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    stopped.abort();
  });
}

try {
  const { config } = command.opts<Flags>();
  if (config !== undefined) await readSettings(command, config);
  await main(command.opts<Flags>(), stopped.signal);
} catch (error) {
  if (stopped.signal.aborted && error === stopped.signal.reason) process.exitCode = 0;
  else if (!(error instanceof VminfodError || error instanceof SettingsError || error instanceof ListenError))
    throw error;
  else fail(error);
}

function fail(error: Error): void {
  process.stderr.write(`vminfod-publisher: ${error.message}\n`);
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}

async function main(flags: Flags, signal: AbortSignal): Promise<void> {
  const { url, include, exclude, dryRun, logLevel, metrics } = flags;
  const options = natsOptions(flags);
  if (options === undefined) throw new SettingsError('where is NATS? --servers nats://host:port');
  const sysinfo = Object.fromEntries(
    Object.entries((await readSysinfo(createHost({ root: flags.root }))) ?? {}).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
  const datacenter = flags.datacenter ?? sysinfo['Datacenter Name'];
  const server = flags.serverUuid ?? sysinfo['UUID'];
  if (datacenter === undefined) throw new SettingsError('sysinfo names no datacenter: --datacenter');
  if (server === undefined) throw new SettingsError('sysinfo has no UUID: --server-uuid');
  const host = { datacenter, server };
  const log = createLog('vminfod-publisher', logLevel, new Sink(1));
  const name = `vminfod-publisher ${hostName(host)}`;
  const onFailure = ({ message }: Error) => {
    log.warn(message);
  };
  const nats = await (dryRun
    ? connectNats(options, name)
    : connectPatiently(options, name, { signal, onFailure }));
  await using client = new VminfodClient({ name: 'vminfod-publisher', url });
  let listening: HttpServer | undefined;
  try {
    if (dryRun) {
      for (const { subject, write } of await plan({ nats, client, host, include, exclude, signal })) {
        process.stdout.write(
          `${write.wanted ? 'put' : 'delete'} ${subject} ${JSON.stringify(write.wanted?.vm)}\n`,
        );
      }
      return;
    }
    log.info(`publishing ${hostName(host)} to ${options.servers.map(withoutLogin).join(', ')}`);
    const facts = { hostname: flags.hostname, sysinfo, machine: hostname(), version };
    let record: (() => HostRecord) | undefined;
    if (metrics !== undefined) {
      // No request can be served before `publish`, which exposes the record at once.
      listening = await serveMetrics(metrics, () => record?.());
      log.info(`metrics on ${listening.url}/metrics`);
    }
    const expose = (read: () => HostRecord) => (record = read);
    await publish({ nats, client, host, facts, include, exclude, log, expose, signal });
  } finally {
    await listening?.close(limits.closeGraceMs);
    await nats.connection.close();
  }
}

async function serveMetrics(where: string, record: () => HostRecord | undefined): Promise<HttpServer> {
  const [, listen = defaultListen, port] = /^(?:(.+):)?(\d{1,5})$/.exec(where) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new SettingsError(`--metrics: expected port or address:port, got ${where}`);
  const metrics = publisherMetrics(record);
  return listenOnPort({ listen, port: Number(port), allowedHosts: [] }, ({ url, method }, response) => {
    if (url !== '/metrics' || method !== 'GET') {
      replyError(response, 'NotFound', 'there is only GET /metrics');
      return;
    }
    void metrics.report().then(({ contentType, text }) => {
      response.writeHead(200, { 'Content-Type': contentType }).end(text);
    });
  });
}
