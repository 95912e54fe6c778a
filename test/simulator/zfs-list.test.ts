/**
 * The simulated `zfs list` prints what a real one printed of the same pool, byte for byte.
 */
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import tap from 'tap';
import { createSimulatedHost } from '../../lib/simulator/index.js';
import { capturedPool, listCaptures } from './captures.js';

/** Captures of what vminfod does not ask of zfs, with the reason why they are not simulated. */
const notSimulated: Readonly<Record<string, string>> = {
  'A-d1-H-human': 'sizes for people: vminfod always asks with -p',
  'B-d1-H-human': 'sizes for people',
  'full-d2-H-human': 'sizes for people',
  'full-d2-human-header': 'sizes for people, and a header: vminfod always asks with -H',
  'default-plain': 'sizes for people, a header, and columns that vminfod does not use',
  'names-only-s-name-d2': '-s sorts: vminfod does not ask for an order',
  'leading-slash-path': 'a dataset by its path: vminfod names datasets',
  'leading-slash-nopath': 'a dataset by its path',
  'user-property': 'a column of a user property: not one of the 17',
};

void tap.test('zfs list prints what OpenZFS printed', async (t) => {
  const host = await createSimulatedHost({ vms: 0 });
  t.teardown(() => host.remove());
  await host.zfs('destroy', '-r', 'zones');
  await host.importDatasets(capturedPool());
  const env = { PATH: `${join(host.root, 'usr/sbin')}${delimiter}${process.env['PATH'] ?? ''}` };

  for (const capture of listCaptures()) {
    const skip = notSimulated[capture.name];
    await t.test(capture.name, skip === undefined ? {} : { skip }, async (t) => {
      const run = await execa('sh', ['-c', capture.command], {
        env,
        reject: false,
        stripFinalNewline: false,
      });
      t.equal(run.stdout, capture.stdout);
      t.equal(run.stderr, capture.stderr);
      t.equal(run.exitCode, capture.exitCode);
    });
  }
});
