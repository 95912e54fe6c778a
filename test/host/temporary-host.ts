/** A host in a temporary directory, with tiny shell scripts as its commands, that is gone when its test ends. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Host, type HostOptions, createHost } from '../../lib/host/host.js';

export interface TemporaryHost extends Host {
  /** Writes a file, its directories included, by its absolute path on the host. */
  write(path: string, content: string): Promise<void>;
  /** Makes a command of a shell script. */
  script(path: string, body: string): Promise<void>;
}

export async function temporaryHost(
  test: { teardown(undo: () => Promise<void>): void },
  options: HostOptions = {},
): Promise<TemporaryHost> {
  const root = await mkdtemp(join(tmpdir(), 'vminfod-host-'));
  test.teardown(() => rm(root, { recursive: true, force: true }));
  const host = createHost({ ...options, root });
  const put = async (path: string, content: string, mode: number) => {
    await mkdir(dirname(host.path(path)), { recursive: true });
    await writeFile(host.path(path), content, { mode });
  };
  return {
    ...host,
    write: (path, content) => put(path, content, 0o644),
    script: (path, body) => put(path, `#!/bin/sh\n${body}\n`, 0o755),
  };
}

/** Prints the text, byte for byte, to stdout (1) or stderr (2), in a shell script. */
export function printing(text: string, to: 1 | 2 = 1): string {
  return `cat >&${to} <<'END-OF-OUTPUT'\n${text}END-OF-OUTPUT`;
}
