import tap from 'tap';
import { parseZoneXml, ZoneXmlError } from '../../lib/vm/zone-xml.js';
import { aZoneXml } from './factories.js';

void tap.test('the example of the reference', (t) => {
  const uuid = '5f0c8a1e-8a4f-4b5e-9d0a-111122223333';
  const config = parseZoneXml(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE zone PUBLIC "-//Sun Microsystems Inc//DTD Zones//EN" "file:///usr/share/lib/xml/dtd/zonecfg.dtd.1">
<zone name="${uuid}" zonepath="/zones/${uuid}" autoboot="false" brand="bhyve" ip-type="exclusive" limitpriv="default,-proc_fork" debugid="21">
  <attr name="vm-version" type="string" value="1"/>
  <attr name="alias" type="string" value="ZGIwMQ=="/>
  <rctl name="zone.max-physical-memory"><rctl-value priv="privileged" limit="2415919104" action="deny"/></rctl>
  <network physical="net0" mac-addr="90:b8:d0:11:22:33" vlan-id="20" global-nic="external">
    <net-attr name="ips" value="10.0.20.7/24,addrconf"/>
    <net-attr name="primary" value="true"/>
  </network>
  <device match="/dev/zvol/rdsk/zones/${uuid}/disk0">
    <net-attr name="boot" value="true"/><net-attr name="model" value="virtio"/>
    <net-attr name="image-size" value="10240"/>
  </device>
</zone>`);
  t.strictSame(config, {
    properties: {
      zonename: uuid,
      autoboot: false,
      brand: 'bhyve',
      limit_priv: 'default,-proc_fork',
      v: 1,
      alias: 'db01',
      max_physical_memory: 2304,
    },
    nics: [
      {
        interface: 'net0',
        mac: '90:b8:d0:11:22:33',
        vlan_id: 20,
        nic_tag: 'external',
        ips: ['10.0.20.7/24', 'addrconf'],
        primary: true,
      },
    ],
    disks: [{ path: `/dev/zvol/rdsk/zones/${uuid}/disk0`, boot: true, model: 'virtio', image_size: 10240 }],
    pciDevices: [],
    filesystems: [],
    datasets: [],
    unknown: [],
  });
  t.end();
});

void tap.test('values', (t) => {
  const cases: readonly (readonly [attr: string, text: string, property: string, value: unknown])[] = [
    ['docker', 'true', 'docker', true],
    ['docker', 'false', 'docker', false],
    ['docker', 'maybe', 'docker', 'maybe'],
    ['docker', '', 'docker', ''],
    ['ram', '1024', 'ram', 1024],
    ['vcpus', '1.5', 'vcpus', 1.5],
    ['ram', '-1', 'ram', -1],
    ['resolvers', '8.8.8.8', 'resolvers', ['8.8.8.8']],
    ['resolvers', 'a,,b', 'resolvers', ['a', '', 'b']],
    ['resolvers', '', 'resolvers', []],
    ['alias', 'w6kg8J+Yig==', 'alias', 'é 😊'],
    ['alias', '', 'alias', ''],
    ['hostname', ' "a" & <b>\n\'c\' é ', 'hostname', ' "a" & <b>\n\'c\' é '],
    ['hostname', '__proto__', 'hostname', '__proto__'],
  ];
  for (const [attr, text, property, value] of cases) {
    const { properties, unknown } = parseZoneXml(aZoneXml({ attrs: { [attr]: text } }));
    t.strictSame((properties as Record<string, unknown>)[property], value, `${attr}=${JSON.stringify(text)}`);
    t.strictSame(unknown, []);
  }
  t.end();
});

void tap.test('a value that is not of its type is left out and named', (t) => {
  const { properties, unknown } = parseZoneXml(
    aZoneXml({
      attrs: { ram: 'much', vcpus: '', 'vnc-port': '0x10', alias: '§§' },
      children: `<rctl name="zone.max-swap"><rctl-value priv="privileged" limit="x" action="deny"/></rctl>
        <network physical="net0"><net-attr name="blocked_outgoing_ports" value="25,many"/></network>`,
    }),
  );
  for (const name of ['ram', 'vcpus', 'vnc_port', 'alias', 'max_swap']) t.notOk(name in properties, name);
  t.strictSame([...unknown].sort(), [
    'attr alias (not a base64)',
    'attr ram (not a number)',
    'attr vcpus (not a number)',
    'attr vnc-port (not a number)',
    'network net-attr blocked_outgoing_ports (not a numbers)',
    'rctl zone.max-swap privileged.deny (not a MiB)',
  ]);
  t.end();
});

void tap.test('unknown names are left out and named once', (t) => {
  const config = parseZoneXml(
    aZoneXml({
      attributes: { bootargs: '-v' },
      attrs: { 'no-such': '1', __proto__x: '2', constructor: '3', toString: '4' },
      children: `
        <attr name="__proto__" type="string" value="5"/>
        <rctl name="zone.max-processes"><rctl-value priv="privileged" limit="1" action="deny"/></rctl>
        <rctl name="zone.cpu-cap"><rctl-value priv="basic" limit="1" action="deny"/></rctl>
        <network physical="net0" address="10.0.0.1"><net-attr name="color" value="red"/></network>
        <network physical="net1" address="10.0.0.2"><net-attr name="color" value="blue"/><other/></network>
        <device match="/dev/null"><net-attr name="color" value="red"/></device>
        <filesystem special="/a" directory="/b" type="lofs" color="red"/>
        <security-flags default="aslr"/>
        <__proto__ name="a"/>
      `,
    }),
  );
  t.strictSame(config.unknown, [
    'network attribute address',
    'network net-attr color',
    'network element other',
    'device net-attr color',
    'filesystem attribute color',
    'element security-flags',
    'element __proto__',
    'zone attribute bootargs',
    'attr no-such',
    'attr __proto__x',
    'attr constructor',
    'attr toString',
    'attr __proto__',
    'rctl zone.max-processes privileged.deny',
    'rctl zone.cpu-cap basic.deny',
  ]);
  t.strictSame(Object.keys(config.properties), ['zonename', 'brand', 'autoboot']);
  t.strictSame(config.nics, [{ interface: 'net0' }, { interface: 'net1' }]);
  t.equal(({} as Record<string, unknown>)['value'], undefined);
  t.end();
});

void tap.test('several values of one rctl: only those with the right privilege and action count', (t) => {
  const { properties } = parseZoneXml(
    aZoneXml({
      children: `<rctl name="zone.max-lwps">
        <rctl-value priv="basic" limit="1" action="deny"/>
        <rctl-value priv="privileged" limit="2000" action="deny"/>
        <rctl-value priv="privileged" limit="3" action="none"/>
      </rctl>`,
    }),
  );
  t.equal(properties.max_lwps, 2000);
  t.end();
});

void tap.test('nics and disks are sorted by number, stably; no number is 0', (t) => {
  const nets = ['net10', 'net2', 'igb3', 'net0', 'vnic0net1'];
  const disks = ['z/a/disk10', 'z/a-disk2', 'z/a/root', 'z/a/disk0', 'z/a/disk1x'];
  const config = parseZoneXml(
    aZoneXml({
      children:
        nets.map((name) => `<network physical="${name}"/>`).join('') +
        disks.map((name) => `<device match="/dev/zvol/rdsk/${name}"/>`).join(''),
    }),
  );
  t.strictSame(
    config.nics.map((nic) => nic.interface),
    ['igb3', 'net0', 'vnic0net1', 'net2', 'net10'],
  );
  t.strictSame(
    config.disks.map((disk) => disk.path?.slice('/dev/zvol/rdsk/'.length)),
    ['z/a/root', 'z/a/disk0', 'z/a/disk1x', 'z/a-disk2', 'z/a/disk10'],
  );
  t.end();
});

void tap.test('datasets and filesystems keep their order, options may be absent', (t) => {
  const { datasets, filesystems } = parseZoneXml(
    aZoneXml({
      children: `<dataset name="zones/b"/><dataset name="zones/a"/>
        <filesystem special="/z" directory="/y" type="lofs"/>
        <filesystem special="/b" directory="/a" type="lofs"><fsoption name="ro"/></filesystem>`,
    }),
  );
  t.strictSame(datasets, ['zones/b', 'zones/a']);
  t.strictSame(filesystems, [
    { source: '/z', target: '/y', type: 'lofs' },
    { source: '/b', target: '/a', type: 'lofs', options: ['ro'] },
  ]);
  t.end();
});

void tap.test('the order of attrs in the file does not matter', (t) => {
  const attrs = { ram: '1', alias: '', docker: 'true' };
  const reversed = Object.fromEntries(Object.entries(attrs).reverse());
  t.equal(
    JSON.stringify(parseZoneXml(aZoneXml({ attrs }))),
    JSON.stringify(parseZoneXml(aZoneXml({ attrs: reversed }))),
  );
  t.end();
});

void tap.test('references to characters and the predefined entities', (t) => {
  const { properties } = parseZoneXml('<zone name="&quot;&amp;amp;&lt;&gt;&apos;&#10;&#x41;&#x1F60A;"/>');
  t.equal(properties.zonename, '"&amp;<>\'\nA😊');
  t.end();
});

void tap.test('what is no zone XML', (t) => {
  const whole = aZoneXml({ attrs: { ram: '1024' }, children: '<network physical="net0"></network>' });
  const billionLaughs = `<?xml version="1.0"?>
<!DOCTYPE zone [
  <!ENTITY lol0 "lol">
  ${Array.from({ length: 9 }, (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i};`.repeat(10)}">`).join('\n  ')}
]>
<zone name="&lol9;"><attr name="alias" value="&lol9;"/></zone>`;
  const cases: Readonly<Record<string, string>> = {
    empty: '',
    blank: ' \n ',
    text: 'hello',
    'NUL bytes': '\0'.repeat(100),
    'a declaration alone': '<?xml version="1.0"?>',
    'another root': '<zones/>',
    'two roots': '<zone name="a"/><zone name="b"/>',
    'text after the root': `${whole}x`,
    'an unclosed comment': `${whole}<!-- `,
    'mismatched tags': whole.replace('</network>', '</device>'),
    'an attribute without quotes': '<zone name=a></zone>',
    'an attribute without value': '<zone name></zone>',
    'an attribute twice': '<zone name="a" name="b"></zone>',
    'a bare ampersand': '<zone name="a&b"></zone>',
    'an unknown entity': '<zone name="&copy;"></zone>',
    'a reference to no character': '<zone name="&#x110000;"></zone>',
    'an entity bomb': billionLaughs,
    'a quadratic blowup': `<!DOCTYPE zone [<!ENTITY a "${'a'.repeat(50_000)}">]><zone name="${'&a;'.repeat(50_000)}"/>`,
    'an external entity': '<!DOCTYPE zone [<!ENTITY a SYSTEM "file:///etc/passwd">]><zone name="&a;"/>',
    'a parameter entity': '<!DOCTYPE zone [<!ENTITY % a SYSTEM "http://localhost/"> %a;]><zone name="x"/>',
  };
  for (const [what, text] of Object.entries(cases)) t.throws(() => parseZoneXml(text), ZoneXmlError, what);

  for (let length = 0; length < whole.trimEnd().length; length += 7) {
    t.throws(() => parseZoneXml(whole.slice(0, length)), ZoneXmlError, `cut after ${length} characters`);
  }
  t.doesNotThrow(() => parseZoneXml(whole));
  t.end();
});

void tap.test('an error says what and where, and keeps its cause', (t) => {
  try {
    parseZoneXml('<zone name="a">\n<network>\n</zone>');
    t.fail('did not throw');
  } catch (error) {
    if (!(error instanceof ZoneXmlError)) throw error;
    t.equal(error.name, 'ZoneXmlError');
    t.match(error.message, /unexpected close tag \(line 3\)/);
    t.ok(error.cause instanceof Error);
  }
  t.end();
});

void tap.test('a DOCTYPE without entities, comments, text and CDATA are passed over', (t) => {
  const { properties, unknown } = parseZoneXml(
    `<?xml version="1.0"?><!DOCTYPE zone SYSTEM "http://localhost:1/x.dtd"><!-- <zone> --><zone name="a"> text <![CDATA[<b>]]></zone>\n<!-- end -->\n`,
  );
  t.strictSame(properties, { zonename: 'a' });
  t.strictSame(unknown, []);
  t.end();
});
