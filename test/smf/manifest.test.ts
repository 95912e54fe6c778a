import { access, constants, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import tap from 'tap';
import { parseXml, type Element } from '../../lib/vm/xml.js';

const packageRoot = new URL('../../../', import.meta.url);
const xml = await readFile(new URL('smf/vminfod.xml', packageRoot), 'utf8');
const method = await readFile(new URL('smf/vminfod', packageRoot), 'utf8');

/** Throws when it is not well formed. */
const bundle = parseXml(xml);
const [service] = children(bundle, 'service');

function children(element: Element | undefined, tag: string): readonly Element[] {
  return element?.children.filter((child) => child.tag === tag) ?? [];
}

void tap.test('the manifest has what SMF asks for', (t) => {
  t.match(xml, /<!DOCTYPE service_bundle SYSTEM "\/usr\/share\/lib\/xml\/dtd\/service_bundle\.dtd\.1">/);
  t.match(bundle, { tag: 'service_bundle', attributes: { type: 'manifest' } });
  t.match(service?.attributes, { name: 'system/vminfod', type: 'service', version: /^\d+$/ });
  const dependencies = children(service, 'dependency');
  t.ok(dependencies.length > 0);
  for (const dependency of dependencies) {
    const grouping = /^(require|optional)_(all|any)$/;
    t.match(dependency.attributes, { name: /./, grouping, restart_on: 'none', type: 'service' });
    t.match(children(dependency, 'service_fmri'), [{ attributes: { value: /^svc:\/\w/ } }]);
  }
  const [context] = children(service, 'method_context');
  t.match(children(context, 'method_credential'), [{ attributes: { user: 'root', privileges: /^all,!/ } }]);
  t.end();
});

void tap.test('its elements are in the order of the DTD', (t) => {
  const tags = service?.children.map(({ tag }) => tag) ?? [];
  t.strictSame(
    tags.filter((tag, index) => tag !== tags[index - 1]),
    [
      'create_default_instance',
      'single_instance',
      'dependency',
      'method_context',
      'exec_method',
      'property_group',
      'stability',
      'template',
    ],
  );
  t.end();
});

void tap.test('its methods are the ones that there are, where npm puts them', async (t) => {
  const methods = children(service, 'exec_method').map(({ attributes }) => attributes);
  t.strictSame(methods.map(({ name }) => name).toSorted(), ['refresh', 'start', 'stop']);
  for (const { name, exec } of methods) {
    if (name === 'stop') {
      t.equal(exec, ':kill');
      continue;
    }
    const [, path] = /^\/opt\/local\/lib\/node_modules\/vminfod\/(\S+) %m$/.exec(exec ?? '') ?? [];
    await access(fileURLToPath(new URL(path ?? 'none', packageRoot)), constants.X_OK);
    t.match(method, new RegExp(`^${name ?? ''}\\) ${name ?? ''} ;;$`, 'm'));
  }
});

void tap.test('the properties are those that the method reads', (t) => {
  const config = children(service, 'property_group').find(
    ({ attributes }) => attributes['name'] === 'config',
  );
  const names = children(config, 'propval').map(({ attributes }) => attributes['name']);
  const read = [...method.matchAll(/\$\(property (\w+)\)/g)].map(([, name]) => name);
  t.strictSame(read.toSorted(), names.toSorted());
  t.strictSame(names.toSorted(), ['allow_remote', 'listen', 'log_level', 'port', 'rescan_interval']);
  t.end();
});
