/**
 * read: requests per second and how long each takes, beside a bare node:http server that sends the same bytes from memory,
 * and beside reading the host on each request. Daemon and bare server take turns, so that both meet the same machine.
 */
import { performance } from 'node:perf_hooks';
import { request } from 'undici';
import { assembleAll, assembleOne } from './assemble-once.js';
import { startBareServer } from './bare.js';
import { startDaemonProcess } from './daemon-process.js';
import { openLoad } from './load.js';
import type { Measurement } from './measurement.js';
import { figure, single, type Figure } from './report.js';
import { median, percentile } from './statistics.js';

const rounds = 5;
const warmUpMs = 500;
const roundMs = 800;
const assemblyMs = 1_000;

export const measureRead: Measurement = async ({ host, vms }) => {
  const daemon = await startDaemonProcess(host.root, { isBare: true });
  const bare = await startBareServer();
  const zones = (await daemon.vms()).map(({ zonename }) => `/vms/${zonename}`);
  const figures: Figure[] = [];
  try {
    for (const [what, paths, reach] of [
      ['GET /vms/<zone>', zones, { atLeast: 0.95 }],
      ['GET /vms', ['/vms'], vms >= 1000 ? { atLeast: 0.9 } : undefined],
    ] as const) {
      await bare.serve(await answersOf(daemon.url, paths));
      for (const connections of [10, 100]) {
        const asked = Array.from({ length: connections }, (_, index) => paths[index % paths.length] ?? '');
        const ours = await openLoad(daemon.port, asked);
        const theirs = await openLoad(bare.httpPort, asked);
        const rates: number[] = [];
        const bareRates: number[] = [];
        const latencies: number[] = [];
        await ours.run(warmUpMs);
        await theirs.run(warmUpMs);
        for (let round = 0; round < rounds; round++) {
          const result = await ours.run(roundMs);
          rates.push(result.perSecond);
          for (const each of result.latenciesMs) latencies.push(each);
          bareRates.push((await theirs.run(roundMs)).perSecond);
        }
        ours.close();
        theirs.close();
        const name = `${what}, ${connections} connections`;
        const ratios = rates.map((rate, round) => rate / (bareRates[round] ?? rate));
        figures.push(
          single(name, 'requests/s', median(rates)),
          single(`beside: bare server, ${name}`, 'requests/s', median(bareRates)),
          single(`share of the bare server, ${name}`, '×', median(ratios), reach),
          {
            name: `one answer, ${name}`,
            unit: 'ms',
            value: median(latencies),
            p99: percentile(latencies, 0.99),
          },
        );
      }
    }
    const names = zones.map((path) => path.slice('/vms/'.length));
    figures.push(
      figure('beside: assembling GET /vms/<zone> on request', 'requests/s', [
        await assemblyRate((round) => assembleOne(host.root, names[round % names.length] ?? '')),
      ]),
      figure('beside: assembling GET /vms on request', 'requests/s', [
        await assemblyRate(() => assembleAll(host.root)),
      ]),
    );
  } finally {
    await bare.stop();
    await daemon.stop();
  }
  return figures;
};

/** The daemon's answers, headers included, for the bare server to repeat. */
async function answersOf(url: string, paths: readonly string[]) {
  const answers: Record<string, { headers: Record<string, string>; body: string }> = {};
  for (const path of paths) {
    const { headers, body } = await request(url + path);
    const sent = Object.entries(headers).filter(([name]) => !hopByHop.has(name));
    answers[path] = {
      headers: Object.fromEntries(sent.map(([n, v]) => [n, String(v)])),
      body: await body.text(),
    };
  }
  return answers;
}

/** Node adds these by itself. */
const hopByHop = new Set(['date', 'connection', 'keep-alive']);

async function assemblyRate(assemble: (round: number) => Promise<unknown>): Promise<number> {
  await assemble(0);
  const startedAt = performance.now();
  let round = 0;
  while (performance.now() - startedAt < assemblyMs) await assemble(++round);
  return (round / (performance.now() - startedAt)) * 1000;
}
