/** `GET /` for programs: an index of the paths. */
import type { ServerResponse } from 'node:http';
import { version } from '../version.js';
import { replyBytes } from './reply.js';

/** Answers with the paths. `hasPage`: a browser would get the page. */
export function replyIndex(response: ServerResponse, hasPage: boolean): void {
  const index = { name: 'vminfod', version, page: hasPage, paths };
  replyBytes(response, Buffer.from(JSON.stringify(index)), { Vary: 'Accept' });
}

const paths = {
  '/ping': 'whether the first load is done',
  '/status': "the daemon's health; ?full=true: more",
  '/vms': 'all VM objects; filters, fields= and since= select',
  '/vms/<zonename>': 'one VM object; ?sync=true: read afresh',
  '/events': 'the state, then every change, as JSON lines or Server-Sent Events',
  '/changes': 'recent events, newest first',
  '/usage': 'how much disk space each VM has used, MiB',
  '/metrics': "counters in Prometheus' text format",
} as const;
