/**
 * The answers to `/vms` and `/vms/<zone>`: complete, selected, compressed, conditional, or only the changes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { VmCache } from '../cache/cache.js';
import type { StoredVm } from '../cache/vm-store.js';
import { http as httpLimits } from '../config.js';
import { memoised } from '../memoised.js';
import type { Fields } from '../vm/fields.js';
import { lengthOf } from '../vm/vm-bytes.js';
import { isUnchanged, tagOf, takesGzip } from './conditional.js';
import { parseVmsParameters, type Position, type Selection } from './parameters.js';
import { endWith, replyBytes, replyError, replyParts } from './reply.js';
import { selectVms, type SerialisedVms } from './serialised.js';
import { UnsentCopies } from './unsent-copies.js';
import { viewOf } from './view.js';

export interface VmRepliesOptions {
  readonly cache: Pick<VmCache, 'instance' | 'snapshot' | 'eventLog'>;
  readonly serialised: SerialisedVms;
  readonly limits?: Readonly<Record<'maxAnswersUnsent' | 'largeAnswerBytes', number>>;
}

export interface VmReplies {
  /** Answers a request for one VM, or some fields of it. */
  one(request: IncomingMessage, response: ServerResponse, stored: StoredVm, fields?: Fields): void;
  /**
   * Answers a request for all VMs. Resolves when the answer is complete.
   *
   * @throws QueryError, synchronously, for invalid parameters.
   */
  all(request: IncomingMessage, response: ServerResponse, query: string): Promise<void>;
}

/** Makes the answers. */
export function vmReplies({ cache, serialised, limits = httpLimits }: VmRepliesOptions): VmReplies {
  const { instance, eventLog } = cache;
  const copies = new UnsentCopies({ max: limits.maxAnswersUnsent, largeBytes: limits.largeAnswerBytes });
  /** Made once per version of a VM: this is the most frequent request. */
  const headersOf = new WeakMap<StoredVm, { readonly tag: string; readonly headers: string[] }>();
  const makeHeaders = ({ seq, bytes }: StoredVm) => {
    const tag = tagOf(instance, seq);
    const length = String(lengthOf(bytes));
    return { tag, headers: ['Content-Type', 'application/json', 'Content-Length', length, 'ETag', tag] };
  };

  return {
    one: (request, response, stored, fields) => {
      const made = memoised(headersOf, stored, makeHeaders);
      if (isUnchanged(request.headers['if-none-match'], made.tag)) {
        response.writeHead(304, { ETag: made.tag }).end();
      } else if (fields !== undefined) {
        replyParts(response, viewOf(stored, { fields }), { ETag: made.tag });
      } else {
        endWith(response.writeHead(200, made.headers), stored.bytes);
      }
    },
    all: (request, response, query) => {
      const { selection, since } = parseVmsParameters(query);
      return since === undefined
        ? replyState(request, response, selection)
        : replyChanges(response, since, selection ?? everything);
    },
  };

  async function replyState(
    request: IncomingMessage,
    response: ServerResponse,
    selection: Selection | undefined,
  ): Promise<void> {
    const snapshot = cache.snapshot.value;
    const headers = { ETag: tagOf(instance, snapshot.seq), Vary: 'Accept-Encoding' };
    if (isUnchanged(request.headers['if-none-match'], headers.ETag)) {
      response.writeHead(304, headers).end();
    } else if (selection !== undefined) {
      const bytes = await serialised.inTurn(() => selectVms([...snapshot.vms.values()], selection));
      send(response, bytes, headers);
    } else if (takesGzip(request.headers['accept-encoding'])) {
      send(response, await serialised.gzipped(snapshot), { ...headers, 'Content-Encoding': 'gzip' });
    } else {
      send(response, serialised.array(snapshot), headers);
    }
  }

  /** The VMs that changed, as they are now. A name in `deleted` is gone or does not match, and may never have matched. */
  async function replyChanges(
    response: ServerResponse,
    since: Position,
    selection: Selection,
  ): Promise<void> {
    const { seq, vms } = cache.snapshot.value;
    const missed = since.instance === instance ? eventLog.after(since.seq) : undefined;
    const names = new Set(missed?.map(({ event }) => event.zonename));
    const changed = [...vms.values()].filter(({ vm }) => missed === undefined || names.has(vm.zonename));
    const selected = await serialised.inTurn(() =>
      selectVms(changed, selection, (bytes, { vm }) => {
        names.delete(vm.zonename);
        return bytes;
      }),
    );
    const head = JSON.stringify({ instance, seq, full: missed === undefined, deleted: [...names] }).slice(
      0,
      -1,
    );
    send(response, Buffer.concat([Buffer.from(`${head},"vms":`), selected, Buffer.from('}')]));
  }

  function send(
    response: ServerResponse,
    bytes: Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    if (copies.hold(bytes, response) !== undefined) replyBytes(response, bytes, headers);
    else replyError(response, 'TooManyAnswers', 'too many answers are not read yet', { 'Retry-After': '1' });
  }
}

const everything: Selection = { filter: [], fields: undefined };
