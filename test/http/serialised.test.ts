/** Bytes that are made once for many clients. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import tap from 'tap';
import { createSerialisedVms } from '../../lib/http/serialised.js';
import type { CacheSnapshot } from '../../lib/cache/vm-store.js';
import { VmMap } from '../../lib/vm/vm-map.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const aSnapshot = (seq: number): CacheSnapshot => ({ loaded: true, seq, vms: VmMap.empty() });

void tap.test(
  'they are made once for a state, and go with it, although nobody asks for the next',
  async (t) => {
    const serialised = createSerialisedVms();
    const current = aSnapshot(2);
    const ofCurrent = new WeakRef(serialised.array(current));
    const ofLast = (() => {
      const last = aSnapshot(1);
      const bytes = serialised.array(last);
      t.equal(serialised.array(last), bytes);
      return new WeakRef(bytes);
    })();
    await setImmediate(); // A WeakRef holds what it was given until the end of the turn.
    collectGarbage();
    t.equal(ofLast.deref(), undefined);
    t.equal(ofCurrent.deref(), serialised.array(current));
  },
);
