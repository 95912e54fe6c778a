import tap from 'tap';
import { shareOf, spaceUse } from '../../lib/vm/usage.js';
import { aVm } from '../client/a-vm.js';

const usage = { used: 3072, referenced: 2048 };

for (const [what, vm, asked, expected] of [
  ['a quota counts snapshots and what is below', { quota: 10 }, usage, { usedMiB: 3072, limitMiB: 10_240 }],
  ['that of a hardware VM does not', { quota: 10, hvm: true }, usage, { usedMiB: 2048, limitMiB: 10_240 }],
  ['no quota, no limit', { quota: 0 }, usage, undefined],
  ['what is not listed is not known', { quota: 10 }, undefined, undefined],
  [
    'a hardware VM says itself what its disks leave',
    { hvm: true, quota: 10, flexible_disk_size: 20_480, free_space: 5120 },
    undefined,
    { usedMiB: 15_360, limitMiB: 20_480 },
  ],
  ['unless a disk is missing', { hvm: true, quota: 10, flexible_disk_size: 20_480 }, usage, undefined],
  [
    'a container has no such thing',
    { quota: 10, flexible_disk_size: 5 },
    usage,
    { usedMiB: 3072, limitMiB: 10_240 },
  ],
] as const) {
  void tap.test(what, (t) => {
    t.strictSame(spaceUse(aVm({ brand: 'joyent', hvm: false, ...vm }), asked), expected);
    t.end();
  });
}

void tap.test('the share of a limit that was set below what is used is more than 1', (t) => {
  t.equal(shareOf({ usedMiB: 2048, limitMiB: 1024 }), 2);
  t.end();
});
