import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import tap from 'tap';
import { eventually, startTestDaemon } from './harness.js';

const exec = promisify(execFile);
const vminfod = fileURLToPath(new URL('../../sbin/vminfod.cjs', import.meta.url));

void tap.test('metrics tell of commands, sources, reloads, and of how long a change took', async (t) => {
  const { host, get, listen } = await startTestDaemon(t, { vms: 3 });
  const [zonename = ''] = host.zonenames();
  const listening = await listen();
  await host.setTags(zonename, { role: 'db' });
  await listening.until((event) => event.zonename === zonename);
  let text = '';
  const value = (metric: string) => Number(new RegExp(`^${metric} (.*)$`, 'm').exec(text)?.[1] ?? 0);
  await eventually(async () => {
    text = (await get('/metrics')).text;
    return value('vminfod_event_latency_seconds_count') > 0;
  }, 'the change is measured');
  t.ok(value('vminfod_event_latency_seconds_sum') < 10);
  t.ok(value('vminfod_events_total{type="modify"}') > 0);
  t.ok(value('vminfod_invalidations_total{source="file-events"}') > 0);
  t.ok(value('vminfod_reload_duration_seconds_count{lane="files"}') > 0);
  t.ok(value('vminfod_reload_duration_seconds_count{lane="rescan"}') > 0);
  t.ok(
    value('vminfod_reload_duration_seconds_count{lane="read-ahead"}') > 0,
    'the file came with the report of its change',
  );
  t.ok(value('vminfod_command_duration_seconds_count{command="zfs"}') > 0);
  t.ok(value('vminfod_command_duration_seconds_count{command="zoneadm"}') > 0);
  t.equal(value('vminfod_source_up{source="zfs-events"}'), 1);
  t.equal(value('vminfod_listeners'), 1);
  t.ok(value('vminfod_listener_bytes_total') > 0);
});

void tap.test('a poller of a whole daemon gets what it missed', async (t) => {
  const { host, get, listen } = await startTestDaemon(t, { vms: 3 });
  const [zonename = ''] = host.zonenames();
  const listening = await listen();
  await host.setTags(zonename, { role: 'db' });
  const { seq } = await listening.until((event) => event.zonename === zonename);
  const { instance } = (await get('/status')).json as { instance: string };
  const changes = (await get(`/vms?since=${instance}:0&fields=tags`)).json;
  t.match(changes, { full: false, deleted: [], seq, vms: [{ tags: { role: 'db' } }] });
  t.match((await get('/vms?since=0:0&fields=tags')).json, { full: true });
});

void tap.test('what other hosts can reach must be allowed', async (t) => {
  for (const [flags, message] of [
    [['--listen', '0.0.0.0'], /--allow-remote/],
    [['--listen', '::'], /--allow-remote/],
    [['--no-listen'], /--no-listen needs --socket/],
  ] as const) {
    await t.rejects(
      exec(process.execPath, [vminfod, ...flags]),
      { code: 1, stderr: message },
      flags.join(' '),
    );
  }
});
