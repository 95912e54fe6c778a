/** Everything that `vminfo top` knows: the data from the stream, and where the operator is looking. */
import type { Status } from '../../client/status.js';
import type { Happening } from '../../vm/describe.js';
import type { VmObject } from '../../vm/vm-object.js';
import type { UsageReport } from '../../vm/usage.js';
import type { ColumnName } from './column-names.js';
import { noFilter, type RowFilter } from './row-filter.js';

export interface TopModel {
  /** Milliseconds since the epoch, as every time here. */
  readonly now: number;
  readonly size: Size;
  /** What the operator calls the host. */
  readonly host: string;
  readonly connection: ConnectionState;
  /** By key (vm-key.ts). */
  readonly vms: ReadonlyMap<string, VmObject>;
  /** The last change of each VM that changed, by key. */
  readonly changed: ReadonlyMap<string, ChangeRow>;
  /** Past changes, newest first; at most `top.maxEntries`. */
  readonly entries: readonly ChangeRow[];
  /** When the events of the last minute came, the oldest first. */
  readonly eventTimes: readonly number[];
  /** The last answer to `/status`, and when it arrived; dropped when the daemon goes away. */
  readonly status: { readonly answer: Status; readonly at: number } | undefined;
  /** What VMs have used of their disk space, by zonename; empty until it is known. */
  readonly usage: UsageReport['vms'];
  readonly sort: { readonly column: ColumnName; readonly descending: boolean };
  readonly filter: RowFilter;
  /** What the keys go to. */
  readonly mode: 'table' | 'typing' | 'help' | 'detail';
  /** The key of the row under the cursor, or of the VM that is open. */
  readonly selected: string | undefined;
  /** Whether the operator has seen enough. */
  readonly quit: boolean;
  /** Rows, or lines of the open VM, above the first that is shown. */
  readonly scroll: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface ConnectionState {
  readonly state: 'connected' | 'lost';
  readonly since: number;
  /** What to show about it for a while: why it was lost, or how it came back. */
  readonly note: string;
}

/** Something that happened to a VM. */
export interface ChangeRow {
  readonly at: number;
  /** The VM's. */
  readonly key: string;
  readonly alias: string;
  readonly kind: Happening['kind'];
  /** Unescaped text from the VM: the view makes it safe. */
  readonly text: string;
}

export function initialModel({
  now,
  size,
  host,
  vms,
}: Pick<TopModel, 'now' | 'size' | 'host' | 'vms'>): TopModel {
  return {
    now,
    size,
    host,
    vms,
    connection: { state: 'connected', since: now, note: '' },
    changed: new Map(),
    entries: [],
    eventTimes: [],
    status: undefined,
    usage: {},
    sort: { column: 'alias', descending: false },
    filter: noFilter,
    mode: 'table',
    selected: undefined,
    quit: false,
    scroll: 0,
  };
}
