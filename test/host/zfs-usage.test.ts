import tap from 'tap';
import { readUsage } from '../../lib/host/zfs-usage.js';
import { printing, temporaryHost } from './temporary-host.js';

const zfs = '/usr/sbin/zfs';

void tap.test('what datasets take, MiB, without the pools', async (t) => {
  const host = await temporaryHost(t);
  await host.script(
    zfs,
    `[ "$*" = "list -H -p -t filesystem -d 1 -o used,referenced,name" ] || exit 9\n${printing(
      '9999999999\t196608\tzones\n3221225472\t2147483648\tzones/a\n0\t0\tdata/name with space\n',
    )}`,
  );
  const usage = await readUsage(host);
  if (usage instanceof Error) throw usage;
  t.strictSame(
    [...usage],
    [
      ['zones/a', { used: 3072, referenced: 2048 }],
      ['data/name with space', { used: 0, referenced: 0 }],
    ],
  );
});

void tap.test('what cannot be read is an error, as a value', async (t) => {
  const host = await temporaryHost(t);
  for (const [script, message] of [
    ['echo "cannot open pool" >&2; exit 1', /exited with 1: cannot open pool/],
    [printing('1024\tzones/a\n'), /expected three columns/],
    [printing('-\t1024\tzones/a\n'), /expected a number of bytes/],
    ['printf "1024\\t1024\\tzones/a"', /ends within a line/],
  ] as const) {
    await host.script(zfs, script);
    const usage = await readUsage(host);
    t.ok(usage instanceof Error, script);
    t.match((usage as Error).message, message);
  }
});
