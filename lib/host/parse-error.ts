/** The error of a parser for text that is not in its format, and a check that all line formats share. */
import { errorTextMaxChars, listingMaxErrors } from '../config.js';

/** Text from the host that is not in its format. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  /** What the text came from, e.g. `zoneadm list`. */
  readonly source: string;
  /** The beginning of the text in question. */
  readonly text: string;
  /** The zone that the text is about, if it names one. */
  readonly zonename: string | undefined;

  constructor(
    source: string,
    problem: string,
    text: string,
    { zonename, cause }: { readonly zonename?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(
      `${source}: ${problem}: ${JSON.stringify(text.slice(0, 100))}`,
      cause === undefined ? undefined : { cause },
    );
    this.source = source;
    this.text = text.slice(0, errorTextMaxChars);
    this.zonename = zonename;
  }
}

/**
 * Collects the errors of a listing's lines: a bad line costs only the zone or dataset that it is about. Past
 * `listingMaxErrors` the text is no listing at all.
 *
 * @throws the error itself, when it is one too many or not a ParseError.
 */
export function collect(errors: ParseError[], error: unknown): void {
  if (!(error instanceof ParseError) || errors.length >= listingMaxErrors) throw error;
  errors.push(error);
}

/**
 * Refuses output that stops within a line: a truncated listing must not look like a host with fewer zones.
 *
 * @throws ParseError
 */
export function requireWholeLines(source: string, text: string): string {
  if (text === '' || text.endsWith('\n')) return text;
  throw new ParseError(source, 'the output ends within a line', text.slice(text.lastIndexOf('\n') + 1));
}
