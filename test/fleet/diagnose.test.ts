import tap from 'tap';
import { diagnoseFleet } from '../../lib/fleet/diagnose.js';
import type { HostRecord } from '../../lib/fleet/host-record.js';
import type { FleetHost } from '../../lib/fleet/hosts.js';
import { aVm } from '../client/a-vm.js';

interface Wrong {
  readonly publisher?: Partial<HostRecord['publisher']>;
  readonly loadErrors?: number;
  readonly noDaemon?: boolean;
  readonly stale?: string;
}

function aHost({ publisher, loadErrors = 0, noDaemon = false, stale }: Wrong = {}): FleetHost {
  const counters = { written: 0, coalesced: 0, conflicts: 0, full: 0, failures: 0, comparisons: 0 };
  const own = { instance: 'i', epoch: 1, version: '1', pid: 1, machine: 'm', seq: 1, revision: 7 };
  return {
    ...{ datacenter: 'emy-17', server: 's', heardAt: new Date(), ...(stale !== undefined && { stale }) },
    record: {
      hostname: 'host-1',
      at: '2026-11-27T12:00:00.000Z',
      publisher: { ...own, released: false, behind: 0, refused: [], counters, ...publisher },
      ...(!noDaemon && { daemon: { state: 'running', sources: {}, loadErrors } }),
      sysinfo: {},
      vms: { total: 1, states: { running: 1 } },
      digest: 'right',
    },
  };
}

const trouble = { code: 'Full', message: 'the stream is full', since: '2026-11-27T12:00:00.000Z' };

void tap.test('what is wrong with a fleet', (t) => {
  const stored = (digest: string, revision = 7) => new Map([['emy-17/s', { digest, revision }]]);
  const table: readonly [
    what: string,
    expected: readonly RegExp[],
    host: Wrong,
    also?: { readonly fill?: number; readonly running?: number; readonly stored?: ReturnType<typeof stored> },
  ][] = [
    ['nothing', [], {}],
    ['stale', [/has not been heard of since yesterday/], { stale: 'yesterday' }],
    ['it cannot publish', [/cannot publish: the stream is full/], { publisher: { trouble } }],
    ['a VM too large', [/VM huge is too large/], { publisher: { refused: ['huge'] } }],
    ['no daemon', [/vminfod does not answer/], { noDaemon: true }],
    ['what cannot be read', [/2 inputs of VMs cannot be read/], { loadErrors: 2 }],
    ['a stream that is nearly full', [/80% full/], {}, { fill: 80 }],
    ['a stream with room', [], {}, { fill: 79 }],
    ['a VM that runs twice', [/runs on 2 hosts: a, b/], {}, { running: 2 }],
    ['the stream has it all', [], {}, { stored: stored('right') }],
    ['the stream lost something', [/does not have what the host has/], {}, { stored: stored('wrong', 5) }],
    ['written since the record', [], {}, { stored: stored('wrong', 8) }],
    ['still writing', [], { publisher: { behind: 1 } }, { stored: stored('wrong') }],
  ];
  for (const [what, expected, host, { fill = 0, running = 1, stored: inStream } = {}] of table) {
    const vms = ['a', 'b'].map((server_uuid, n) =>
      aVm({ server_uuid, state: n < running ? 'running' : 'stopped' }),
    );
    const troubles = diagnoseFleet([aHost(host)], vms, { bytes: fill, maxBytes: 100 }, inStream);
    t.match(
      troubles.map((each) => each.what),
      expected,
      what,
    );
    t.equal(troubles.length, expected.length, what);
  }
  t.end();
});
