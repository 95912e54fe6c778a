/** What a file thread does when it takes over from another. */
import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import tap from 'tap';
import type { FileNews } from '../../lib/host/file-messages.js';
import { FileServer } from '../../lib/host/file-server.js';
import { lookAt, timeGrainMs } from '../../lib/host/file-version.js';

void tap.test(
  'files that were watched before are told of if they have changed since, or may have',
  async (t) => {
    const top = t.testdir({ tags: '{}' });
    const [tags, routes] = [join(top, 'tags'), join(top, 'routes')];
    // Until then it may change again and look the same, so it would always be told of.
    while (Date.now() - lookAt(tags).changedMs <= timeGrainMs) await setTimeout(timeGrainMs);
    const current = lookAt(tags).version;
    for (const [since, changed] of [
      [{ tags: current, routes: '' }, []],
      [{ tags: '' }, ['tags']],
      [{ tags: 'another' }, ['tags']],
      [{ routes: 'was there' }, ['routes']],
      [{ tags: null, routes: null }, ['tags', 'routes']],
      [{}, []],
    ] as const) {
      const news: FileNews[] = [];
      const server = new FileServer({
        watch: (path, listener) => watch(path, { persistent: false }, listener),
        tell: (each) => news.push(each),
        onBegin: () => undefined,
        onEnd: () => undefined,
      });
      const paths = [
        { name: 'tags', path: tags, top },
        { name: 'routes', path: routes, top },
      ];
      server.do({ type: 'watch', zonename: 'z', paths, since });
      server.close();
      const names = news.flatMap((each) => (each.type === 'changed' ? each.names : []));
      t.same(names, changed, JSON.stringify(since));
    }
  },
);
