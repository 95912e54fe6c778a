import { get as httpGet, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import tap from 'tap';
import { eventually } from '../daemon/harness.js';
import { aSmallVm, get, instance, serve } from './serve.js';

void tap.test('ETag: 304 until something changes, for all VMs and for one', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2)] });
  const paths = ['/vms', '/vms?fields=quota', `/vms/${aSmallVm(1).zonename}`];
  const tags = new Map<string, string>();
  for (const path of paths) {
    const { headers } = await get(url + path);
    const tag = String(headers.etag);
    tags.set(path, tag);
    for (const given of [tag, `"x", ${tag}`, tag.slice(2), '*']) {
      const again = await get(url + path, { 'If-None-Match': given });
      t.match(again, { status: 304, text: '', headers: { etag: tag } }, `${path} ${given}`);
    }
    t.equal((await get(url + path, { 'If-None-Match': '"x"' })).status, 200);
  }
  store.put(aSmallVm(2, { quota: 20 }));
  for (const path of paths) {
    const { status } = await get(url + path, { 'If-None-Match': tags.get(path) ?? '' });
    t.equal(status, path.startsWith('/vms/') ? 304 : 200, path);
  }
  store.put(aSmallVm(1, { quota: 20 }));
  t.match(await get(url + (paths[2] ?? ''), { 'If-None-Match': tags.get(paths[2] ?? '') ?? '' }), {
    status: 200,
    json: { quota: 20 },
  });
});

void tap.test('gzip, when it is taken', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  for (const [accepted, coded] of [
    ['gzip', true],
    ['br;q=1, GZIP;q=0.5', true],
    ['gzip;q=0', false],
    ['identity', false],
  ] as const) {
    const { headers, bytes } = await get(`${url}/vms`, { 'Accept-Encoding': accepted });
    t.equal(headers['content-encoding'], coded ? 'gzip' : undefined, accepted);
    t.equal(headers.vary, 'Accept-Encoding');
    t.equal((coded ? gunzipSync(bytes) : bytes).toString(), JSON.stringify([aSmallVm(1)]));
  }
  store.put(aSmallVm(1, { quota: 20 }));
  const { bytes } = await get(`${url}/vms`, { 'Accept-Encoding': 'gzip' });
  t.match(JSON.parse(gunzipSync(bytes).toString()), [{ quota: 20 }], 'not the bytes of before');
});

void tap.test('since: what changed, for pollers', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2), aSmallVm(3)] });
  const first = (await get(`${url}/vms?since=0:0`)).json;
  t.match(first, { instance, seq: 0, full: true, deleted: [] });
  t.equal((first as { vms: unknown[] }).vms.length, 3);
  store.put(aSmallVm(1, { quota: 20 }));
  store.put(aSmallVm(1, { quota: 30 }));
  store.delete(aSmallVm(2).zonename);
  store.put(aSmallVm(4));
  store.delete(aSmallVm(4).zonename);
  const { json } = await get(`${url}/vms?since=${instance}:0`);
  t.same(json, {
    instance,
    seq: 5,
    full: false,
    deleted: [aSmallVm(2).zonename, aSmallVm(4).zonename],
    vms: [aSmallVm(1, { quota: 30 })],
  });
  t.match((await get(`${url}/vms?since=${instance}:5`)).json, { seq: 5, full: false, deleted: [], vms: [] });
  t.same((await get(`${url}/vms?since=${instance}:0&quota=10&fields=quota`)).json, {
    instance,
    seq: 5,
    full: false,
    deleted: [aSmallVm(1).zonename, aSmallVm(2).zonename, aSmallVm(4).zonename],
    vms: [],
  });
  t.match((await get(`${url}/vms?since=${instance}:6`)).json, { full: true }, 'a place that is yet to come');
});

void tap.test('what cannot be asked is named', async (t) => {
  const { url } = await serve(t);
  for (const [path, message] of [
    ['/vms?foo=1&alias=x&bar.baz=2', /foo, bar\.baz/],
    ['/events?foo=1', /foo/],
    ['/ping?foo=1', /foo/],
    ['/metrics?foo=1', /foo/],
    ['/status?foo=1', /foo/],
    [`/vms/a?foo=1`, /foo/],
    ['/status?full=maybe', /full: expected true or false, got "maybe"/],
    ['/vms?fields=alias,foo', /foo/],
    ['/vms?fields=alias&fields=uuid', /fields is given twice/],
    ['/vms?alias=~(', /alias/],
    ['/vms?since=5', /since: expected <instance>:<seq>, got "5"/],
    ['/events?since=5', /since/],
    ['/events?vms=map', /vms: expected array, string or none/],
    ['/events?type=ready', /type: expected some of create, modify, delete/],
    ['/events?path=quota,foo', /foo/],
    ['/events?heartbeat=0', /heartbeat: expected 1 to 3600 seconds/],
    ['/events?heartbeat=-1', /heartbeat/],
    ['/changes?foo=1', /unknown parameter: foo/],
    ['/changes?limit=0', /limit: expected 1 to 1000, got "0"/],
    ['/changes?limit=1001', /limit/],
    ['/changes?before=-1', /before: expected a seq, got "-1"/],
    ['/changes?vm=yes', /vm: expected true or false/],
    ['/changes?type=ready', /type/],
    ['/changes?path=foo', /foo/],
    [`/vms?${'alias=a&'.repeat(33)}`, /more than 32 conditions/],
  ] as const) {
    const { status, json } = await get(url + path);
    t.match({ status, json }, { status: 400, json: { code: 'BadRequest', message } }, path);
  }
});

void tap.test('metrics', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2, { state: 'stopped' })] });
  store.put(aSmallVm(3));
  store.delete(aSmallVm(3).zonename);
  await new Promise(setImmediate);
  const { headers, text } = await get(`${url}/metrics`);
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'vminfod_vms{state="running",brand="joyent"} 1',
    'vminfod_vms{state="stopped",brand="joyent"} 1',
    'vminfod_events_total{type="create"} 1',
    'vminfod_events_total{type="delete"} 1',
    'vminfod_listeners 0',
    'vminfod_listener_overflows_total{reason="bytes"} 0',
    'vminfod_rescans_total{result="complete"} 1',
    'vminfod_missed_changes_total{source="zfs-events"} 0',
    'vminfod_load_errors 0',
  ])
    t.ok(text.includes(`${line}\n`), line);
  t.match(text, /nodejs_eventloop_lag_p99_seconds \d/);
  t.match(text, /process_resident_memory_bytes \d/);
});

void tap.test('answers that nobody reads: only so many, then 503 until there is room', async (t) => {
  // More than the kernel takes in for a client that does not read.
  const large = aSmallVm(1, { customer_metadata: { large: 'x'.repeat(16 * 2 ** 20) } });
  const { url, store } = await serve(t, {
    vms: [large, aSmallVm(2)],
    answers: { maxAnswersUnsent: 2, largeAnswerBytes: 2 ** 20 },
  });
  const open = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpGet(url + path, { agent: false }, (response) => {
        response.on('error', () => undefined); // ended by us
        resolve(response);
      });
      request.on('error', reject);
    });
  const copy = '/vms?alias=vm1';
  const sleepers = [await open(copy), await open('/vms')];
  t.match(
    sleepers.map(({ statusCode }) => statusCode),
    [200, 200],
  );
  t.match(await get(url + copy), {
    status: 503,
    headers: { 'retry-after': '1' },
    json: { code: 'TooManyAnswers' },
  });
  const sharing = await open('/vms');
  t.equal(sharing.statusCode, 200, 'the same bytes once more take no room');
  t.equal((await get(`${url}/vms?alias=vm2`)).status, 200, 'small ones do not count');
  t.equal((await get(`${url}/vms/${aSmallVm(2).zonename}`)).status, 200);
  store.put(aSmallVm(2, { quota: 20 }));
  t.match(await get(`${url}/vms`), { status: 503 }, 'these are others now');

  sleepers[0]?.destroy();
  await eventually(async () => (await get(url + copy)).status === 200, 'there is room again');
  for (const response of [...sleepers, sharing]) response.destroy();
});
