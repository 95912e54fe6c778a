import tap from 'tap';
import {
  decodeToken,
  encodeToken,
  hostSubject,
  parseHostSubject,
  parseVmSubject,
  vmSubject,
  vmSubjects,
} from '../../lib/fleet/names.js';

void tap.test('any text is one token of a subject, and comes back', (t) => {
  const table: readonly [text: string, token: string][] = [
    ['emy-17', 'emy-17'],
    ['us-east.1', 'us-east=2E1'],
    ['*', '=2A'],
    ['>', '=3E'],
    ['a b=c', 'a=20b=3Dc'],
    ['Zürich', 'Z=C3=BCrich'],
    ['', '='],
  ];
  for (const [text, token] of table) {
    t.equal(encodeToken(text), token, text);
    t.equal(decodeToken(token), text, token);
    t.notMatch(token, /[.*>\s]/);
  }
  t.end();
});

void tap.test('subjects say whose they are', (t) => {
  const key = { datacenter: 'us-east.1', server: '564d', zonename: 'build.old' };
  t.equal(vmSubject(key), '$KV.vminfo.us-east=2E1.564d.build=2Eold');
  t.strictSame(parseVmSubject(vmSubject(key)), key);
  t.equal(vmSubjects({ zonename: 'a' }), '$KV.vminfo.*.*.a');
  t.equal(vmSubjects(), '$KV.vminfo.*.*.*');
  t.strictSame(parseHostSubject(hostSubject(key)), { datacenter: 'us-east.1', server: '564d' });
  for (const other of ['$KV.vminfo.a.b', '$KV.vminfo.a.b.c.d', '$KV.vminfo_hosts.a.b', 'a.b.c', '']) {
    t.equal(parseVmSubject(other), undefined, other);
  }
  t.end();
});
