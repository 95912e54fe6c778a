/** Conditional and compressed answers: what the client already has, and what it accepts. Pure. */

/** The tag of a state. It is weak, because the compressed and the plain answer share it. */
export function tagOf(instance: string, seq: number): string {
  return `W/"${instance}:${seq}"`;
}

/** Whether an `If-None-Match` names a tag. */
export function isUnchanged(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  // A tag includes its quotes and cannot contain others, so there is nothing to parse.
  return ifNoneMatch === '*' || ifNoneMatch.includes(tag.slice('W/'.length));
}

/** Whether an `Accept-Encoding` accepts gzip. */
export function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  const codings = String(acceptEncoding ?? '')
    .toLowerCase()
    .split(',');
  const named = codings.find((coding) => /^\s*(?:x-)?gzip\s*(?:;|$)/.test(coding));
  return named !== undefined && !/;\s*q\s*=\s*0(?:\.0*)?\s*$/.test(named);
}
