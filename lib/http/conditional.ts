/** Conditional and compressed answers: what the request already has, and what it can take. Pure. */

/** The tag of a state. It is weak: the compressed and the plain answer have the same. */
export function tagOf(instance: string, seq: number): string {
  return `W/"${instance}:${seq}"`;
}

/** Whether an `If-None-Match` names a tag. */
export function isUnchanged(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  // The quotes are part of a tag and cannot be in it, so that there is nothing to parse.
  return ifNoneMatch === '*' || ifNoneMatch.includes(tag.slice('W/'.length));
}

/** Whether an `Accept-Encoding` takes gzip. */
export function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  const codings = String(acceptEncoding ?? '')
    .toLowerCase()
    .split(',');
  const named = codings.find((coding) => /^\s*(?:x-)?gzip\s*(?:;|$)/.test(coding));
  return named !== undefined && !/;\s*q\s*=\s*0(?:\.0*)?\s*$/.test(named);
}
