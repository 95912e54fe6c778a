/**
 * The simulated zfs posts the history events that a real one posted for the same commands, in an order that the real
 * one could have used.
 */
import { readFileSync } from 'node:fs';
import tap from 'tap';
import { createSimulatedHost, ZfsError, type SimulatedHost } from '../../lib/simulator/index.js';
import { historyCaptures, shellWords, type HistoryCapture } from './captures.js';

/** Captured commands that are not simulated, by the beginning of their step's name, with the reason. */
const notSimulated: Readonly<Record<string, string>> = {
  '000-zpool-create': 'zpool: a simulated host is born with its pool',
  '146-': 'mounting does not show in a listing and posts nothing',
  '147-': 'mounting posts nothing',
  '171-': 'a listing, with columns that vminfod does not use',
  '177-': 'a listing',
  '182-': 'a listing',
  '185-': 'a stream of -R that fails before anything is received; it posts nothing',
  '186-': 'follows 185; the dataset does not exist, and nothing is posted',
  '190-': 'a listing',
  '192-': 'a listing',
  '193-': 'a listing',
  '202-': 'a listing',
  '206-zfs-allow':
    'delegated administration does not show in a listing; for vminfod an action like any unknown one',
  '207-zfs-unallow': 'delegated administration',
  '209-': 'a channel program (Lua); this one fails',
  '210-': 'a channel program (Lua): replayed as zfs snapshot, as later steps need its snapshot',
  '217-': 'zpool: pool-wide, without a dataset',
  '218-': 'zpool',
  '221-': 'zpool',
  'extra-306-': 'a listing',
  'extra-307-': 'a channel program (Lua)',
  'extra-309-': 'a listing',
  'extra-310-': 'a listing',
  'extra-312-': 'a listing',
  'extra-314-': 'a listing',
  'extra-317-': 'a listing',
  'extra-318-': 'a listing',
};

void tap.test('every captured command posts the events that OpenZFS posted', async (t) => {
  const captures = historyCaptures();
  const words = await shellWords(captures.map(({ command }) => command));
  const main = await captureHost();
  const extra = await captureHost();
  t.teardown(() => Promise.all([main.remove(), extra.remove()]));
  await prepareExtra(extra);

  for (const [index, capture] of captures.entries()) {
    const host = capture.step.startsWith('extra') ? extra : main;
    const skip = Object.entries(notSimulated).find(([step]) => capture.step.startsWith(step))?.[1];
    if (capture.step.startsWith('210-')) await host.zfs('snapshot', 'zones/test@viaprog');
    await t.test(capture.step, skip === undefined ? {} : { skip }, async (t) => {
      const { events, exitCode } = await replay(host, words[index] ?? []);
      t.equal(exitCode === 0, capture.exit === 0, `exit code ${exitCode}, captured ${capture.exit}`);
      const expected = capture.events.map(ofCapture);
      t.same([...events].sort(), [...expected].sort(), 'the same events');
      t.same(outOfOrder(expected, events), [], 'in an order that could be');
    });
  }
});

async function captureHost(): Promise<SimulatedHost> {
  const host = await createSimulatedHost({ vms: 0 });
  await host.zfs('destroy', '-r', 'zones');
  // The captured pool has no properties of its own.
  await host.zfs('inherit', 'compression', 'zones');
  return host;
}

/** What was there before the steps called extra, as far as they show it. */
async function prepareExtra(host: SimulatedHost): Promise<void> {
  const root = 'zones/aaaaaaaa-0000-4000-8000-00000000000a';
  await host.zfs('create', '-o', 'quota=10g', '-o', 'com.example:o=x', root);
  await host.zfs('create', '-s', '-V', '64m', `${root}/disk0`);
  await host.zfs('create', `${root}/data`);
}

/** Runs a captured command line on the simulated host. */
async function replay(
  host: SimulatedHost,
  words: readonly string[],
): Promise<{ events: readonly string[]; exitCode: number }> {
  const [program, , script = ''] = words;
  const commands = program === 'bash' ? await shellWords(script.split(' && ').map(quotePipe)) : [words];
  // Read from the channel, as a command that fails may have posted something before.
  const channel = host.path('/var/simulator/channels/zfs');
  const before = readFileSync(channel, 'utf8').length;
  let exitCode = 0;
  try {
    for (const [, ...argv] of commands)
      await (argv.includes('|') ? receivePipe(host, argv) : host.zfs(...argv));
  } catch (error) {
    if (!(error instanceof ZfsError)) throw error;
    exitCode = error.exitCode;
  }
  const lines = readFileSync(channel, 'utf8').slice(before).split('\n').slice(0, -1);
  const events = lines.map((line) => ofCapture((JSON.parse(line) as { data: HistoryData }).data));
  return { events, exitCode };
}

function quotePipe(line: string): string {
  return line.replaceAll(/[|();>]/g, (character) => ` '${character}' `);
}

/** `zfs send … | [head -c N |] zfs receive …` */
async function receivePipe(host: SimulatedHost, argv: readonly string[]): Promise<void> {
  const send = argv.slice(argv.indexOf('send') + 1, argv.indexOf('|'));
  const receive = argv.slice(argv.lastIndexOf('receive') + 1);
  const incremental = send[send.findIndex((word) => word === '-i' || word === '-I') + 1];
  const slow = argv.includes('cat');
  await host.receive({
    from: send.at(-1) ?? '',
    to: receive.at(-1) ?? '',
    ...(incremental?.startsWith('@') === true ? { incremental: incremental.slice(1) } : {}),
    withProperties: send.includes('-p'),
    replicate: send.includes('-R'),
    force: receive.includes('-F'),
    set: receive.filter((_, index) => receive[index - 1] === '-o'),
    truncated: argv.includes('head') && !slow,
    resumable: receive.includes('-s'),
  });
}

type HistoryData = HistoryCapture['events'][number];

function ofCapture(event: HistoryData): string {
  // Where illumos prints nothing, OpenZFS on Linux prints a blank.
  const detail = event.history_internal_str === ' ' ? '' : event.history_internal_str;
  return normalise(`${event.history_internal_name} | ${event.history_dsname ?? ''} | ${detail}`);
}

/** Object and transaction numbers, process ids, and how blocks are freed (livelists are not in illumos) do not matter. */
function normalise(text: string): string {
  return text
    .replace(/\((bptree|livelist), mintxg=\d+\)/, '(freed)')
    .replace(/\(\d+\)$/, '(N)')
    .replace(/(creation_txg|target_snap)=\d+/g, '$1=N')
    .replace(/zfs-diff-\d+-[0-9a-f]+/, 'zfs-diff-N')
    .replace(/zfs-diff-\d+/, 'zfs-diff-N')
    .replace(/\.send-\d+-\d+/, '.send-N');
}

/**
 * Pairs of events in a different order than captured, among those whose order matters: of a dataset and what is below it.
 * Siblings come in the order of a hash in ZFS.
 */
function outOfOrder(expected: readonly string[], actual: readonly string[]): string[] {
  const path = (event: string): string => `${event.split(' | ')[1] ?? ''}/`.replace('@', '/@');
  const wrong: string[] = [];
  for (const [index, first] of expected.entries()) {
    for (const second of expected.slice(index + 1)) {
      const [a, b] = [path(first), path(second)];
      const related = a.startsWith(b) || b.startsWith(a);
      if (related && actual.indexOf(first) > actual.indexOf(second)) wrong.push(`${second} before ${first}`);
    }
  }
  return wrong;
}
