/** The version in package.json. */
import { readFileSync } from 'node:fs';

const file = new URL('../../package.json', import.meta.url);

/** E.g. `0.1.0`. */
export const version = (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
