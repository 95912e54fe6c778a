import tap from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import type { VmEvent } from '../../lib/vm/event.js';
import { aSmallVm, serve } from '../http/serve.js';

const names = { server_uuid: 'aaaaaaaa-0000-4000-8000-000000000001', datacenter_name: 'coal' };

for (const host of [true, false]) {
  void tap.test(`host: ${host}: events ${host ? '' : 'do not '}say of which host they are`, async (t) => {
    const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
    const client = new VminfodClient({ url, name: 'tester' });
    t.teardown(() => client.close());
    const events = client.events({ host })[Symbol.asyncIterator]();
    const next = async () => (await events.next()).value as VmEvent | { readonly type: 'ready' };
    const isRight = (event: object, what: string) => {
      if (host) t.match(event, names, what);
      else for (const name of Object.keys(names)) t.notOk(name in event, what);
    };
    isRight(await next(), 'ready');
    const { zonename } = aSmallVm(1);
    store.put(aSmallVm(1, { quota: 11 }));
    store.put(aSmallVm(2));
    store.delete(zonename);
    for (const type of ['modify', 'create', 'delete']) {
      const event = await next();
      t.equal(event.type, type);
      isRight(event, type);
    }
    await events.return?.();
  });
}
