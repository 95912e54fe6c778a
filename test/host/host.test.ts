/** Where the files of a host are. */
import tap from 'tap';
import { createHost } from '../../lib/host/host.js';

void tap.test('every path is below the root, whatever it says', (t) => {
  const cases: readonly (readonly [root: string, absolute: string, path: string])[] = [
    ['/', '/etc/zones', '/etc/zones'],
    ['/', '/', '/'],
    ['/', '/../etc', '/etc'],
    ['/srv/gz', '/etc/zones', '/srv/gz/etc/zones'],
    ['/srv/gz/', '/etc/zones', '/srv/gz/etc/zones'],
    ['/srv/gz', '/', '/srv/gz/'],
    ['/srv/gz', '/../../etc/passwd', '/srv/gz/etc/passwd'],
    ['/srv/gz', '/zones/a/../../../b', '/srv/gz/b'],
    ['/srv/gz', '/zones/..', '/srv/gz/'],
    ['/srv/gz', '//zones//a/./b/', '/srv/gz/zones/a/b/'],
    ['/srv/gz', '/zones/..a/.b/c..', '/srv/gz/zones/..a/.b/c..'],
    ['gz', '/../x', 'gz/x'],
  ];
  for (const [root, absolute, path] of cases) {
    t.equal(createHost({ root }).path(absolute), path, `${absolute} below ${root}`);
  }
  t.throws(() => createHost({ root: '/srv/gz' }).path('etc'), RangeError);
  t.end();
});
