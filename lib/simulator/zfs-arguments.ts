/**
 * zfs command lines: short options, then names.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { ZfsError } from './zfs-error.js';

/** A parsed command line. */
export interface ZfsArguments {
  /** The flags given. */
  readonly flags: ReadonlySet<string>;
  /** The values of options that take one, in order. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly names: readonly string[];
}

/** Parses what follows the subcommand: `flags` are options without a value, `valued` those with one. */
export function parseZfsArguments(argv: readonly string[], flags: string, valued = ''): ZfsArguments {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const short of flags) options[short] = { type: 'boolean', short };
  for (const short of valued) options[short] = { type: 'string', short, multiple: true };
  try {
    const parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
    const entries = Object.entries(parsed.values);
    return {
      flags: new Set(entries.filter(([, value]) => value === true).map(([name]) => name)),
      values: Object.fromEntries(
        entries.filter((entry): entry is [string, string[]] => Array.isArray(entry[1])),
      ),
      names: parsed.positionals,
    };
  } catch (cause) {
    const option = /'-(.)/.exec((cause as Error).message)?.[1] ?? '?';
    throw new ZfsError(2, `invalid option '${option}'`);
  }
}
