/** The flags that tell a program where NATS is, and the file that may hold them instead. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { NatsOptions } from './connection.js';

/** What the flags below parse to. */
export type NatsFlags = Partial<NatsOptions>;

/** A file of settings that cannot be used. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** Adds the flags to a command. */
export function addNatsFlags(command: Command): Command {
  return command
    .option('--servers <urls>', 'where NATS is: nats://host:port,…', list)
    .option('--creds <file>', 'credentials file, as made by nsc')
    .option('--nkey <file>', "file with an nkey's seed")
    .option('--tls-ca <file>', 'certificates to trust, PEM')
    .option('--tls-cert <file>', 'client certificate, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--inbox-prefix <name>', 'prefix of the subjects for replies; permissions name it');
}

/** Options from the NATS flags. `undefined` when they do not say where NATS is. */
export function natsOptions({ servers = [], ...flags }: NatsFlags): NatsOptions | undefined {
  return servers.length === 0 ? undefined : { servers, ...flags };
}

/**
 * Where NATS is, from one text: addresses (`nats://a:4222,nats://b:4222`), or a file of settings with the names of the
 * flags above.
 *
 * @throws SettingsError
 */
export async function whereIsNats(text: string): Promise<NatsOptions> {
  if (text.includes('://')) return { servers: list(text) };
  const command = addNatsFlags(new Command());
  await readSettings(command, text);
  const options = natsOptions(command.opts<NatsFlags>());
  if (options === undefined) throw new SettingsError(`${text}: servers is missing`);
  return options;
}

/** `a,b` as a list; repeated flags append to it. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((each) => each !== '')];
}

/**
 * Takes flags that were not given from a JSON file: `{"servers": ["nats://a:4222"], "tls-ca": "/…"}`, by their long names.
 *
 * @throws SettingsError
 */
export async function readSettings(command: Command, file: string): Promise<void> {
  for (const [name, value] of Object.entries(await readObject(file))) {
    const option = command.options.find(({ long }) => long === `--${name}`);
    if (option === undefined || name === 'config')
      throw new SettingsError(`${file}: unknown setting: ${name}`);
    const key = option.attributeName();
    const source = command.getOptionValueSource(key);
    if (source === 'cli') continue;
    const isList = Array.isArray(command.getOptionValue(key)) || name === 'servers';
    command.setOptionValueWithSource(key, checked(file, name, value, isList, option.isBoolean()), 'config');
  }
}

function checked(file: string, name: string, value: unknown, isList: boolean, isBoolean: boolean): unknown {
  const isText = (each: unknown) => typeof each === 'string' && each !== '';
  if (
    isBoolean
      ? typeof value === 'boolean'
      : isList
        ? Array.isArray(value) && value.every(isText)
        : isText(value)
  ) {
    return value;
  }
  const expected = isBoolean ? 'true or false' : isList ? 'a list of texts' : 'a text';
  throw new SettingsError(`${file}: ${name}: expected ${expected}, got ${JSON.stringify(value)}`);
}

async function readObject(file: string): Promise<object> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw new SettingsError(`${file}: ${(cause as Error).message}`, { cause });
  }
  throw new SettingsError(`${file}: expected a JSON object`);
}
