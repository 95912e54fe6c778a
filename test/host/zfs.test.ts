import tap from 'tap';
import { listAllDatasets, listDatasets } from '../../lib/host/zfs.js';
import { datasetFields } from '../../lib/host/zfs-parse.js';
import { asWeAsk, capture } from './captures.js';
import { type TemporaryHost, printing, temporaryHost } from './temporary-host.js';

const command = '/usr/sbin/zfs';
const A = 'zones/aaaaaaaa-0000-4000-8000-00000000000a';

/** Makes a `zfs` that prints what was captured. */
async function replay(host: TemporaryHost, name: string): Promise<void> {
  const { stderr, exitCode } = capture(name);
  await host.script(command, `${printing(asWeAsk(name))}\n${printing(stderr, 2)}\nexit ${exitCode}`);
}

void tap.test('lists everything two levels deep', async (t) => {
  const host = await temporaryHost(t);
  const fields = datasetFields.join(',');
  await host.script(
    command,
    `[ "$*" = "list -H -p -t filesystem,snapshot,volume -o ${fields} -d 2" ] || exit 9\n${printing(asWeAsk('full-d2-Hp'))}`,
  );
  const { datasets, errors } = await listAllDatasets(host);
  t.same(
    datasets.map((dataset) => dataset.name),
    capture('names-only-d2')
      .stdout.split('\n')
      .filter((name) => name !== '' && !name.includes('@')),
  );
  t.same(errors, []);
});

void tap.test('an empty host has no datasets', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'exit 0');
  t.match(await listAllDatasets(host), { datasets: [], errors: [] });
});

void tap.test('lists those named, with what is in them, and says which are missing', async (t) => {
  const host = await temporaryHost(t);
  await replay(host, 'A-d1-Hp');
  t.match(await listDatasets(host, [A], { whole: true }), {
    datasets: [{ name: A }, { name: `${A}/data` }],
    missing: [],
  });

  for (const [name, missing] of [
    ['nonexistent', 'zones/ffffffff-dead-4000-8000-000000000000'],
    ['nonexistent-snapshot', `${A}@nosuch`],
    ['nonexistent-pool', 'nopool/x'],
  ] as const) {
    await replay(host, name);
    t.match(await listDatasets(host, [missing], { whole: true }), { datasets: [], missing: [missing] }, name);
  }

  const { stderr } = capture('nonexistent-plus-existing');
  await host.script(command, `${printing(asWeAsk('A-d1-Hp'))}\n${printing(stderr, 2)}\nexit 1`);
  t.match(await listDatasets(host, [A, 'zones/ffffffff-dead-4000-8000-000000000000'], { whole: true }), {
    datasets: [{ name: A }, { name: `${A}/data` }],
    missing: ['zones/ffffffff-dead-4000-8000-000000000000'],
  });
});

void tap.test('a snapshot below the depth of the full listing can be named', async (t) => {
  const host = await temporaryHost(t);
  await replay(host, 'snapshot-held-single-Hp');
  const { datasets, snapshots } = await listDatasets(host, [`${A}@indestructible`], { whole: false });
  t.same(datasets, []);
  t.match(snapshots.get(A), [{ name: 'indestructible', userrefs: 1 }]);
});

void tap.test('nothing named is nothing asked', async (t) => {
  const host = await temporaryHost(t);
  t.match(await listDatasets(host, [], { whole: true }), { datasets: [], missing: [] });
});

void tap.test('any other complaint is an error', async (t) => {
  const host = await temporaryHost(t);
  for (const name of [
    'unknown-property',
    'empty-name',
    'trailing-slash',
    'leading-slash-nopath',
    'snapshot-given-but-type-fs',
    'd-bad',
  ]) {
    const { stderr, exitCode } = capture(name);
    await host.script(command, `${printing(stderr, 2)}\nexit ${exitCode}`);
    await t.rejects(
      listDatasets(host, [A], { whole: true }),
      { name: 'CommandError', code: 'EXIT', exitCode, stderr: stderr.slice(0, 2_000) },
      name,
    );
  }
  await host.script(command, 'exit 1');
  await t.rejects(listAllDatasets(host), { code: 'EXIT' }, 'a failure without a word');
  const { stderr } = capture('nonexistent');
  await host.script(
    command,
    `${printing(stderr, 2)}\necho "cannot iterate filesystems: I/O error" >&2\nexit 1`,
  );
  await t.rejects(
    listDatasets(host, [A], { whole: true }),
    { code: 'EXIT' },
    'missing ones and something else',
  );
});

void tap.test('a listing that stops within a line is refused', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, `${printing(asWeAsk('A-d1-Hp'))}\nprintf 'zones/b\\tfilesys'`);
  await t.rejects(listAllDatasets(host), { name: 'ParseError', text: 'zones/b\tfilesys' });
});

void tap.test('a hung listing is killed at the timeout given', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'sleep 1000');
  await t.rejects(listAllDatasets(host, { timeoutMs: 100 }), {
    code: 'TIMEOUT',
    message: /zfs list .* timed out after 0\.1 s$/,
  });
});
