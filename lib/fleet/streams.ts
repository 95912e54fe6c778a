/** `vminfo fleet init`: the two streams, as every rule of the fleet needs them. */
import {
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { fleet as limits } from '../config.js';
import type { Nats } from './connection.js';
import { asFleetError, FleetError, NoFleetError } from './errors.js';
import { hostPrefix, hostStream, vmPrefix, vmStream } from './names.js';

export interface InitOptions {
  /** Servers of a cluster that keep a copy: 1, 3 or 5. Default: as it is, or 1. */
  readonly replicas?: number;
  /** Of the stream of VMs, on each of those. Default: as it is, or see config.ts. */
  readonly maxBytes?: number;
}

/** What `initFleet` did to a stream. */
export interface InitResult {
  readonly stream: string;
  readonly done: 'created' | 'updated' | 'unchanged';
}

/**
 * Creates the streams, or applies these settings to existing ones. Their content stays.
 *
 * @throws FleetError for a size below that of the content; VminfodError.
 */
export async function initFleet(
  nats: Nats,
  { replicas, maxBytes }: InitOptions = {},
): Promise<readonly InitResult[]> {
  const before = await existing(nats, vmStream);
  // The server would make room by removing the oldest messages: the states of VMs that seldom change.
  if (before !== undefined && maxBytes !== undefined && maxBytes < before.state.bytes) {
    throw new FleetError(`${vmStream} has ${before.state.bytes} bytes: it cannot become smaller than that`);
  }
  const options = {
    replicas: replicas ?? before?.config.num_replicas ?? 1,
    maxBytes: maxBytes ?? before?.config.max_bytes ?? limits.defaultMaxBytes,
  };
  const results: InitResult[] = [];
  for (const config of streamConfigs(options)) results.push(await put(nats, config));
  return results;
}

async function existing({ manager }: Nats, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(stream);
  } catch (cause) {
    const error = asFleetError(cause, stream);
    if (error instanceof NoFleetError) return undefined;
    throw error;
  }
}

/** The settings. Key-value libraries can read both streams as buckets. */
export function streamConfigs({
  replicas,
  maxBytes,
}: Required<InitOptions>): readonly (Partial<StreamConfig> & { readonly name: string })[] {
  const common = {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // A full stream refuses new messages. Dropping old ones would lose the state of VMs that seldom change.
    discard: DiscardPolicy.New,
    num_replicas: replicas,
    allow_direct: true,
    deny_delete: true,
    // Otherwise a host that may write its own keys could delete everybody's, by a header.
    allow_rollup_hdrs: false,
    duplicate_window: nanos(limits.duplicateWindowMs),
  };
  return [
    {
      ...common,
      name: vmStream,
      description: 'VMs of the fleet: the last message of a subject is its state',
      subjects: [`${vmPrefix}>`],
      max_msgs_per_subject: limits.historyPerVm,
      max_bytes: maxBytes,
    },
    {
      ...common,
      name: hostStream,
      description: 'Hosts of the fleet: who publishes, and how they are',
      subjects: [`${hostPrefix}>`],
      max_msgs_per_subject: 1,
      max_bytes: limits.hostsMaxBytes,
    },
  ];
}

async function put(
  nats: Nats,
  wanted: Partial<StreamConfig> & { readonly name: string },
): Promise<InitResult> {
  const { manager } = nats;
  const stream = wanted.name;
  const current = await existing(nats, stream);
  try {
    if (current === undefined) {
      await manager.streams.add(wanted);
      return { stream, done: 'created' };
    }
    const isSame = Object.entries(wanted).every(
      ([key, value]) => JSON.stringify(current.config[key as keyof StreamConfig]) === JSON.stringify(value),
    );
    if (isSame) return { stream, done: 'unchanged' };
    await manager.streams.update(stream, wanted);
    return { stream, done: 'updated' };
  } catch (error) {
    throw asFleetError(error, stream);
  }
}
