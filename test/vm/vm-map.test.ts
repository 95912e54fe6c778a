import tap from 'tap';
import { VmMap } from '../../lib/vm/vm-map.js';

void tap.test('a version of the map is never changed by the next', (t) => {
  let map = VmMap.empty<number>();
  const versions = [map];
  for (let index = 0; index < 200; index++) versions.push((map = map.with(`vm-${index}`, index)));
  for (let index = 0; index < 200; index += 2) versions.push((map = map.without(`vm-${index}`)));
  versions.slice(0, 201).forEach((version, size) => {
    t.equal(version.size, size);
    t.equal([...version.values()].length, size);
  });
  t.equal(map.size, 100);
  t.same([map.get('vm-2'), map.get('vm-3'), map.has('vm-2'), map.has('vm-3')], [undefined, 3, false, true]);
  t.same([...map.keys()].length, 100);
  t.equal(map.with('vm-3', 4).size, 100, 'replaced');
  t.equal(map.without('nobody').size, 100);
  t.end();
});
