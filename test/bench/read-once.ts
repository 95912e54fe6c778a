/**
 * A process of its own: the bare minimum that any start must do. Each command lists everything once, side by side, while
 * each file is read once; nothing is made of it. Its argument is the root.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { datasetFields } from '../../lib/host/zfs-parse.js';

const root = process.argv[2] ?? '/';
const run = async (command: string, args: readonly string[]) =>
  (await promisify(execFile)(join(root, command), args, { maxBuffer: 2 ** 28 })).stdout;

const others = [
  run('/usr/bin/kstat', ['-j', '-m', 'zones', '-c', 'zone_misc']),
  run('/usr/sbin/zfs', [
    ...['list', '-H', '-p', '-t', 'filesystem,snapshot,volume', '-d', '2'],
    ...['-o', datasetFields.join(',')],
  ]),
];
const zones = await run('/usr/sbin/zoneadm', ['list', '-p', '-c']);
for (const line of zones.trimEnd().split('\n')) {
  const [, zonename = '', , zonepath = ''] = line.split(':');
  if (zonename === 'global') continue;
  readIfExists(`/etc/zones/${zonename}.xml`);
  for (const name of ['config/metadata.json', 'config/tags.json', 'config/routes.json', 'lastexited'])
    readIfExists(join(zonepath, name));
}
readIfExists('/tmp/.sysinfo.json');
await Promise.all(others);

function readIfExists(path: string): void {
  try {
    readFileSync(join(root, path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
