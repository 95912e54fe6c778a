import tap from 'tap';
import type { Path } from '../../lib/vm/path.js';
import { parsePaths, touches } from '../../lib/vm/touches.js';

void tap.test('touches: at, below and above what is named', (t) => {
  const table: readonly (readonly [keys: string, path: Path, touched: boolean])[] = [
    ['state', ['state'], true],
    ['state', ['quota'], false],
    ['quota,state', ['state'], true],
    ['nics', ['nics', null, 'ip'], true],
    ['nics.ip', ['nics', null, 'ip'], true],
    ['nics.*.ip', ['nics', null, 'ip'], true],
    ['nics.0.ip', ['nics', null, 'ip'], true],
    ['nics.ip', ['nics', null, 'ips'], false],
    ['nics.ip', ['nics', null], true],
    ['nics.ip', ['nics'], true],
    ['tags.role', ['tags', 'role'], true],
    ['tags.role', ['tags', 'roles'], false],
    ['tags.triton.cns.services', ['tags', 'triton.cns.services'], true],
    ['ram', ['max_physical_memory'], true],
    ['type', ['brand'], true],
  ];
  for (const [keys, path, touched] of table)
    t.equal(touches(parsePaths(keys), path), touched, `${keys} ${path.join('/')}`);
  t.throws(() => parsePaths('state,foo'), { name: 'QueryError', keys: ['foo'] });
  t.end();
});
