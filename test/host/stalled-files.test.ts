/** More file systems hang than there may be threads that wait for them. */
import { appendFile } from 'node:fs/promises';
import tap from 'tap';
import { fileThreads } from '../../lib/config.js';
import { noBindfs } from '../bindfs.js';
import { eventually } from '../daemon/harness.js';
import { zones } from './hanging-zones.js';

void tap.test(
  'more hang than there may be threads: all wait, none for ever, and it shows',
  { skip: noBindfs, timeout: 120_000 },
  async (t) => {
    const count = fileThreads.maxStuck + 1;
    const { files, directories, read, path, hung, told } = await zones(t, count + 1, count);
    const free = `z${count}`;
    for (let zone = 0; zone < count; zone++) await read(`z${zone}`);
    for (const directory of directories) directory.hang();
    const readings = directories.map((_, zone) => read(`z${zone}`));
    await eventually(() => files.status().stalled, 'as many as may');
    t.match(files.status(), { threads: count, stuck: count });
    t.equal(hung().length, count);
    t.match(await read(free), {
      type: 'failed',
      error: { message: /waits for the file systems of z0, .*, which hang/ },
    });
    t.match(await files.watchStatus(), { watching: [] });
    for (const reading of await Promise.all(readings)) t.match(reading, { type: 'failed' });

    directories[0]?.goOn();
    await eventually(() => !files.status().stalled, 'one goes on, and so do the others');
    t.match(await read(free), { value: { value: free } });
    for (const directory of directories) directory.goOn();
    await eventually(() => hung().length === 0 && files.status().threads === 1, 'all are back');
    for (let zone = 0; zone <= count; zone++) {
      t.match(await read(`z${zone}`), { value: { value: `z${zone}` } });
      await told(`z${zone}`, () => appendFile(path(`z${zone}`), ' more'));
    }
  },
);
