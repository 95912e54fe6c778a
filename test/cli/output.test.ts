/** How `vminfo list` puts out what it lists. */
import tap from 'tap';
import { aVm, uuids } from '../client/a-vm.js';
import { FakeDaemon } from '../client/fake-daemon.js';
import { run } from './run.js';

void tap.test('list -o: json, yaml, wide, columns in any case, and -j with columns', async (t) => {
  const vm = aVm({ alias: 'web: 1', tags: { role: 'db', on: 'yes' }, resolvers: [] });
  const daemon = await FakeDaemon.start(t, { vms: [vm] });
  const list = async (...argv: string[]) => {
    const { status, stdout } = await run(daemon.url, ['list', ...argv]);
    t.equal(status, 0);
    return stdout;
  };
  t.strictSame(JSON.parse(await list('-o', 'json')), [vm]);
  t.strictSame(JSON.parse(await list('-j')), [vm]);
  t.strictSame(JSON.parse(await list('-j', '-o', 'ALIAS,tags.role')), [
    { alias: 'web: 1', tags: { role: 'db' } },
  ]);
  t.match(await list('-o', 'Alias,STATE'), /^ALIAS +STATE\nweb: 1 +running\n$/);
  t.match(await list('-o', 'wide'), /^UUID .* ALIAS .*NICS\.\*\.IP .*QUOTA/);
  const yaml = await list('-o', 'yaml');
  t.match(yaml, new RegExp(`^- [\\s\\S]*uuid: "?${uuids.web}"?\\n`));
  t.match(yaml, /\n {2}alias: "web: 1"\n/);
  t.match(yaml, /\n {2}tags:\n {4}role: db\n {4}"on": "yes"\n/);
  t.match(yaml, /\n {2}resolvers: \[\]\n/);
});
