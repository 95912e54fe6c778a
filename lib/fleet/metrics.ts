/** The publisher's metrics for Prometheus, read from what it also reports in its host's record. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { HostRecord } from './host-record.js';

/** Makes the text that `GET /metrics` answers. */
export interface PublisherMetrics {
  report(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** @param record The host's record as it would be written now; `undefined` before there is one. */
export function publisherMetrics(record: () => HostRecord | undefined): PublisherMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Counter({
    name: 'vminfod_publisher_total',
    help: 'Messages, and comparisons of both sides, by what became of them.',
    labelNames: ['what'],
    registers,
    collect() {
      this.reset();
      for (const [what, count] of Object.entries(record()?.publisher.counters ?? {}))
        this.inc({ what }, count);
    },
  });
  const gauge = (name: string, help: string, value: (record: HostRecord) => number) => {
    new Gauge({
      name: `vminfod_publisher_${name}`,
      help,
      registers,
      collect() {
        const now = record();
        if (now) this.set(value(now));
      },
    });
  };
  gauge('vms', 'VMs on the host that are published.', ({ vms }) => vms.total);
  gauge('behind', 'VMs whose newest state is not in the stream yet.', ({ publisher }) => publisher.behind);
  gauge('refused', 'VMs that are too large for a message.', ({ publisher }) => publisher.refused.length);
  gauge('full', '1 while the stream is full.', ({ publisher }) => Number(publisher.trouble?.code === 'Full'));
  gauge('up', '1 while nothing keeps it from publishing.', ({ publisher }) =>
    Number(publisher.trouble === undefined),
  );
  return { report: async () => ({ contentType: registry.contentType, text: await registry.metrics() }) };
}
