/** What is wrong with a fleet, and what to do about it. Pure. */
import { fleet as limits } from '../config.js';
import type { VmObject } from '../vm/vm-object.js';
import type { FleetHost } from './hosts.js';
import { hostName } from './names.js';
import type { StoredHost } from './observe.js';

/** One thing that is wrong. */
export interface FleetTrouble {
  readonly what: string;
  readonly remedy: string;
}

/** How much there is in a stream. */
export interface Fill {
  readonly bytes: number;
  readonly maxBytes: number;
}

/** @param stored By hostName. */
export function diagnoseFleet(
  hosts: readonly FleetHost[],
  vms: readonly VmObject[],
  fill: Fill,
  stored: ReadonlyMap<string, StoredHost> = new Map(),
): readonly FleetTrouble[] {
  const differing = hosts.flatMap((host) => differs(host, stored.get(hostName(host))));
  return [...fullStream(fill), ...hosts.flatMap(ofHost), ...differing, ...runningTwice(vms)];
}

/** A host whose VMs in the stream are not those that its record counts, although nothing has been written since. */
function differs({ server, record, stale }: FleetHost, stored: StoredHost | undefined): FleetTrouble[] {
  const { behind, refused, trouble, revision } = record.publisher;
  if (stored === undefined || stale !== undefined || trouble || behind > 0 || refused.length > 0) return [];
  if (stored.digest === record.digest || stored.revision > revision) return [];
  return [
    {
      what: `${record.hostname} (${server}): the stream does not have what the host has`,
      remedy: 'its publisher compares within a minute; if it stays so, see its log',
    },
  ];
}

function fullStream({ bytes, maxBytes }: Fill): readonly FleetTrouble[] {
  const percent = Math.floor((100 * bytes) / maxBytes);
  if (maxBytes <= 0 || percent < limits.fullPercent) return [];
  return [
    {
      what: `the stream of VMs is ${percent}% full; when it is full, no change is published`,
      remedy: 'vminfo fleet init --max-bytes makes it larger; vminfo fleet gc and forget remove what is gone',
    },
  ];
}

function ofHost({ server, record, stale }: FleetHost): readonly FleetTrouble[] {
  const name = `${record.hostname} (${server})`;
  if (stale !== undefined) {
    return [
      {
        what: `${name} has not been heard of since ${stale}`,
        remedy: 'look at svcs vminfod-publisher there; vminfo fleet forget, if the host is gone for good',
      },
    ];
  }
  const { trouble, refused } = record.publisher;
  const { daemon } = record;
  return [
    ...(trouble ? [{ what: `${name} cannot publish: ${trouble.message}`, remedy: 'see its log' }] : []),
    ...refused.map((zonename) => ({
      what: `${name}: VM ${zonename} is too large for a message`,
      remedy: 'raise max_payload of nats-server, or --exclude what makes it large',
    })),
    ...(daemon
      ? []
      : [{ what: `${name}: its vminfod does not answer`, remedy: 'look at svcs vminfod there' }]),
    ...(daemon && daemon.loadErrors > 0
      ? [
          {
            what: `${name}: ${daemon.loadErrors} inputs of VMs cannot be read`,
            remedy: 'vminfo doctor there',
          },
        ]
      : []),
  ];
}

function runningTwice(vms: readonly VmObject[]): readonly FleetTrouble[] {
  const running = new Map<string, VmObject[]>();
  for (const vm of vms) {
    if (vm.state === 'running') running.set(vm.uuid, [...(running.get(vm.uuid) ?? []), vm]);
  }
  return [...running].flatMap(([uuid, copies]) =>
    copies.length < 2
      ? []
      : [
          {
            what: `VM ${uuid} runs on ${copies.length} hosts: ${copies.map((vm) => vm.server_uuid ?? '').join(', ')}`,
            remedy: 'stop all but one before they write to the same addresses',
          },
        ],
  );
}
