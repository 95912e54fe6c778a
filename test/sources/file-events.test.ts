/** File events of a host in a temporary directory: on this platform, as on illumos, and without watches. */
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Subject, type Subscription } from 'rxjs';
import tap, { type Test } from 'tap';
import { sysinfoPath, zoneFilePath } from '../../lib/host/paths.js';
import { fileEvents, type WatchRequest } from '../../lib/sources/file-events.js';
import { createSourceHealth, type SourceHealth, type SourceState } from '../../lib/sources/health.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import { zoneFiles } from '../../lib/vm/inputs.js';
import { eventually } from '../daemon/harness.js';
import { inlineFiles } from '../host/inline-files.js';
import { temporaryHost, type TemporaryHost } from '../host/temporary-host.js';
import { illumosWatch, observedWatch, refusingWatch, type ObservedWatch } from './watches.js';

type Input = (typeof zoneFiles)[number];

interface Source {
  readonly host: TemporaryHost;
  readonly files: ReturnType<typeof inlineFiles>;
  readonly health: SourceHealth;
  readonly states: readonly SourceState[];
  readonly requests: Subject<WatchRequest>;
  readonly subscription: Subscription;
  readonly path: (input: Input, zonename?: string) => string;
  /** Does something, and resolves when it has been reported with all of these inputs of the zone. */
  readonly told: (
    inputs: readonly string[],
    act: () => Promise<unknown> | undefined,
    zonename?: string,
  ) => Promise<void>;
  /** The invalidations since the last `told` began. */
  readonly said: Invalidation[];
}

/** A host with zone `a`, whose files are there and watched. */
async function aSource(t: Test, { watch }: Pick<ObservedWatch, 'watch'> = observedWatch()): Promise<Source> {
  const host = await temporaryHost(t);
  const path = (input: Input, zonename = 'a') =>
    zoneFilePath(host, { zonename, zonepath: `/zones/${zonename}` }, input);
  for (const input of zoneFiles) await host.write(path(input).slice(host.root.length), 'old');
  await host.write('/tmp/.sysinfo.json', '{}');
  const health = createSourceHealth('file-events');
  const states: SourceState[] = [];
  health.state.subscribe((state) => states.push(state));
  const requests = new Subject<WatchRequest>();
  const files = inlineFiles(watch);
  const said: Invalidation[] = [];
  const news = new Subject<void>();
  const subscription = fileEvents({ host: { ...host, files }, requests, health }).subscribe(
    (invalidation) => {
      said.push(invalidation);
      news.next();
    },
  );
  t.teardown(async () => {
    subscription.unsubscribe();
    await files.end();
  });
  requests.next({ type: 'watch', zonename: 'a', zonepath: '/zones/a' });

  const hasSaid = (inputs: readonly string[], zonename: string) =>
    inputs.every((input) =>
      said.some((each) =>
        each.type === 'zone'
          ? each.zonename === zonename && (each.inputs as readonly string[]).includes(input)
          : each.type === input,
      ),
    );
  const told: Source['told'] = async (inputs, act, zonename = 'a') => {
    said.length = 0;
    const done = new Promise<void>((resolve) => {
      const watching = news.subscribe(() => {
        if (!hasSaid(inputs, zonename)) return;
        watching.unsubscribe();
        resolve();
      });
    });
    await act();
    await done;
  };
  return { host, files, health, states, requests, subscription, path, told, said };
}

/** As vmadm and zonecfg write: a temporary file beside it, then a rename over it. */
async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.tmp`, content);
  await rename(`${path}.tmp`, path);
}

/** As `mv` from another filesystem: the old is unlinked, the new created. */
async function recreate(path: string, content: string): Promise<void> {
  await rm(path);
  await writeFile(path, content);
}

const platforms = {
  'on this platform': () => ({ ...observedWatch(), deliver: () => undefined }),
  'as on illumos': illumosWatch,
};

for (const [platform, aWatch] of Object.entries(platforms)) {
  for (const input of zoneFiles) {
    void tap.test(
      `${platform}: ${input} is written in place, replaced, recreated, deleted and made again`,
      async (t) => {
        const watch = aWatch();
        const { told, path } = await aSource(t, watch);
        const changes: readonly (() => Promise<unknown>)[] = [
          () => appendFile(path(input), 'more'),
          () => replace(path(input), 'replaced'),
          () => appendFile(path(input), 'and more'),
          () => recreate(path(input), 'recreated'),
          () => appendFile(path(input), 'and more'),
          () => rm(path(input)),
          () => writeFile(path(input), 'back'),
          () => appendFile(path(input), 'and more'),
        ];
        for (const change of changes) {
          await told([input], async () => {
            await change();
            watch.deliver();
          });
        }
        t.pass('each was told of');
      },
    );
  }

  void tap.test(
    `${platform}: a config directory that appears late, is renamed away, and comes back`,
    async (t) => {
      const watch = aWatch();
      const { told, path } = await aSource(t, watch);
      const config = dirname(path('tags'));
      const steps: readonly (() => Promise<unknown>)[] = [
        () => rm(config, { recursive: true }),
        async () => {
          await mkdir(config);
          watch.deliver();
          for (const input of ['tags', 'metadata', 'routes'] as const) await writeFile(path(input), 'late');
        },
        () => rename(config, `${config}.old`),
        () => rename(`${config}.old`, config),
        async () => {
          for (const input of ['tags', 'metadata', 'routes'] as const) await appendFile(path(input), 'more');
        },
      ];
      for (const step of steps) {
        await told(['tags', 'metadata', 'routes'], async () => {
          await step();
          watch.deliver();
        });
      }
      t.pass('each was told of');
    },
  );

  void tap.test(`${platform}: a zone whose directory is not there yet`, async (t) => {
    const watch = aWatch();
    const { told, path, requests } = await aSource(t, watch);
    requests.next({ type: 'watch', zonename: 'b', zonepath: '/zones/b' });
    await told(
      ['tags'],
      async () => {
        await mkdir(dirname(path('tags', 'b')), { recursive: true });
        watch.deliver();
        await writeFile(path('tags', 'b'), 'new');
        watch.deliver();
      },
      'b',
    );
    t.pass('told of');
  });

  void tap.test(`${platform}: the XML of a zone that nobody has heard of`, async (t) => {
    const watch = aWatch();
    const { told, path, host, said } = await aSource(t, watch);
    await told(
      ['xml'],
      async () => {
        await host.write('/etc/zones/index', 'no zone XML');
        await replace(path('xml', 'new'), '<zone/>');
        watch.deliver();
      },
      'new',
    );
    t.same(
      said.filter((each) => each.type !== 'zone' || !['new', 'a'].includes(each.zonename)),
      [],
      'and of nothing that is no zone',
    );
  });

  void tap.test(`${platform}: the sysinfo cache`, async (t) => {
    const watch = aWatch();
    const { told, host } = await aSource(t, watch);
    for (const content of ['{"UUID":"x"}', '{"UUID":"y"}']) {
      await told(['sysinfo'], async () => {
        await replace(sysinfoPath(host), content);
        watch.deliver();
      });
    }
    t.pass('told of');
  });
}

void tap.test(
  'two changes of the same size in the same millisecond: the second is told of as well',
  async (t) => {
    const watch = illumosWatch();
    const { told, path } = await aSource(t, watch);
    for (let round = 0; round < 20; round++) {
      await told(['tags'], async () => {
        await writeFile(path('tags'), 'one');
        watch.deliver();
      });
      await told(['tags'], async () => {
        await writeFile(path('tags'), 'two');
        watch.deliver();
      });
    }
    t.pass('all 40');
  },
);

void tap.test('what happens in one turn is said once', async (t) => {
  const watch = illumosWatch();
  const { told, path, said } = await aSource(t, watch);
  await told(['tags', 'metadata'], async () => {
    await replace(path('tags'), 'new');
    await replace(path('metadata'), 'new');
    watch.deliver();
  });
  t.equal(said.filter((each) => each.type === 'zone' && each.inputs.includes('tags')).length, 1);
});

void tap.test('rearm: all files are read again, and watched although they seem the same', async (t) => {
  const watch = illumosWatch();
  const { told, path, requests } = await aSource(t, watch);
  const before = watch.open();
  await told([...zoneFiles], () => {
    requests.next({ type: 'rearm', zonename: 'a' });
    return undefined;
  });
  t.same(watch.open(), before, 'as many as before');
  await told(['lastexited'], async () => {
    await appendFile(path('lastexited'), 'more');
    watch.deliver();
  });
  requests.next({ type: 'rearm', zonename: 'nobody' });
});

void tap.test('mend: a directory that was replaced unseen is found, and so is what is in it', async (t) => {
  const watch = illumosWatch();
  const { told, path, requests } = await aSource(t, watch);
  await told(['tags'], async () => {
    const config = dirname(path('tags'));
    await rename(config, `${config}.away`);
    await mkdir(config);
    await writeFile(path('tags'), 'unseen');
    requests.next({ type: 'mend' });
  });
  t.pass('found');
});

void tap.test('a file that was replaced unseen is watched again when it is read', async (t) => {
  const watch = illumosWatch();
  const { told, path, host } = await aSource(t, watch);
  await replace(path('tags'), 'unseen');
  await host.files.read('a', [{ name: 'tags', path: path('tags') }]);
  await told(['tags'], async () => {
    await appendFile(path('tags'), 'seen');
    watch.deliver();
  });
  t.pass('seen');
});

void tap.test('unwatch, and the end, give every watch back', async (t) => {
  const watch = observedWatch();
  const { requests, subscription, files, told, path } = await aSource(t, watch);
  const own = watch.open().filter((path) => !path.includes('/zones/a'));
  requests.next({ type: 'watch', zonename: 'b', zonepath: '/zones/b' });
  requests.next({ type: 'watch', zonename: 'a', zonepath: '/zones/a' });
  const withTwo = watch.open();
  t.same(withTwo, [...new Set(withTwo)].sort(), 'each path once');
  t.ok(files.watches.watching.includes(path('tags')));
  t.ok(files.watches.notWatching.includes(path('tags', 'b')));

  requests.next({ type: 'unwatch', zonename: 'a' });
  requests.next({ type: 'unwatch', zonename: 'b' });
  requests.next({ type: 'unwatch', zonename: 'nobody' });
  t.same(
    watch.open(),
    own.filter((path) => !path.endsWith('/zones') || path.endsWith('/etc/zones')),
  );
  await told(['xml'], () => replace(path('xml'), 'a zone nobody has heard of'));

  subscription.unsubscribe();
  t.same(watch.open(), []);
  t.same(files.watches, { watching: [], notWatching: [] });
});

void tap.test('a zone that moves is watched at its new place', async (t) => {
  const watch = observedWatch();
  const { requests, host, told } = await aSource(t, watch);
  requests.next({ type: 'watch', zonename: 'a', zonepath: '/zones/moved' });
  await told(['tags'], () => host.write('/zones/moved/config/tags.json', '{}'));
  t.notOk(watch.open().some((path) => path.includes('/zones/a/')));
});

for (const code of ['ENOSPC', 'EMFILE'] as const) {
  void tap.test(
    `without watches (${code}) files are looked at now and then, and the health says so`,
    async (t) => {
      const watch = refusingWatch(code);
      const { told, path, health, states, requests } = await aSource(t, watch);
      t.equal(health.status().state, 'degraded');
      t.match(health.status().lastError?.message, new RegExp(code));
      t.equal(states.filter((state) => state === 'degraded').length, 1, 'said once, not for each path');
      await told(['tags'], () => replace(path('tags'), 'polled'));
      await told(['xml'], () => replace(path('xml', 'new'), 'polled'), 'new');
      t.equal(states.filter((state) => state === 'degraded').length, 1, 'nor at each look');

      watch.refuse = false;
      await told(['tags', 'xml'], async () => {
        await replace(path('tags'), 'found by the look that sets the watches');
        await replace(path('xml'), 'found by the look that sets the watches');
      });
      requests.next({ type: 'mend' });
      await told(['tags'], () => appendFile(path('tags'), 'watched'));
      t.equal(health.status().state, 'running');
      t.equal(states.at(-1), 'running');
    },
  );
}

void tap.test(
  'a directory that cannot be listed for a moment: the source is well again once it can',
  async (t) => {
    const watch = illumosWatch();
    const { told, path, host, health } = await aSource(t, watch);
    const directory = host.path('/etc/zones');
    await rename(directory, `${directory}.away`);
    await symlink('zones', directory);
    watch.deliver();
    await eventually(() => health.status().state === 'degraded', 'it is degraded');
    t.match(health.status().lastError?.message, /ELOOP/);
    await told(
      ['xml'],
      async () => {
        await rm(directory);
        await writeFile(`${directory}.away/new.xml`, '<zone/>');
        await rename(`${directory}.away`, directory);
      },
      'new',
    );
    t.equal(health.status().state, 'running');
    await told(['xml'], async () => {
      await appendFile(path('xml'), 'more');
      watch.deliver();
    });
  },
);

void tap.test('a zone without a zonepath has files in /etc/zones only, until it has one', async (t) => {
  const { requests, host, told, path } = await aSource(t);
  requests.next({ type: 'watch', zonename: 'b', zonepath: '' });
  await told(['xml'], () => host.write('/etc/zones/b.xml', '<zone/>'), 'b');
  requests.next({ type: 'watch', zonename: 'b', zonepath: '/zones/b' });
  await told(['tags'], () => host.write('/zones/b/config/tags.json', '{}'), 'b');
  requests.next({ type: 'watch', zonename: 'b', zonepath: '' });
  await told(['xml'], () => appendFile(path('xml', 'b'), ' '), 'b');
});

void tap.test('a zone that goes while its files are refused takes the trouble with it', async (t) => {
  const watch = refusingWatch('ENOSPC');
  watch.refuse = false;
  const { requests, health, path, told } = await aSource(t, watch);
  watch.refuse = true;
  requests.next({ type: 'watch', zonename: 'a', zonepath: '/zones/moved' });
  await told(['xml', 'tags'], async () => {
    requests.next({ type: 'watch', zonename: 'a', zonepath: '/zones/a' });
    requests.next({ type: 'mend' });
    await replace(path('xml'), 'new');
    await replace(path('tags'), 'new');
  });
  t.equal(health.status().state, 'degraded');
  requests.next({ type: 'unwatch', zonename: 'a' });
  t.equal(health.status().state, 'running');
});
