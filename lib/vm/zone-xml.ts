/**
 * The zone XML, /etc/zones/<zone>.xml (zonecfg(8), zonecfg.dtd.1) → ZoneConfig, by the tables of zone-tables.ts. Names
 * that the tables do not know are collected, never an error. Assembly applies the rules that need more than the XML.
 */
import { readValue } from './value-types.js';
import type { Device, Filesystem, Nic, PciDevice } from './vm-object.js';
import { parseXml, type Element } from './xml.js';
import type { ZoneConfig } from './zone-config.js';
import * as tables from './zone-tables.js';
import type { FromTable, Table } from './zone-tables.js';

/** The zone XML is not well formed, or not a zone's. `cause` has the position, if the parser gave one. */
export class ZoneXmlError extends Error {
  override readonly name = 'ZoneXmlError';
}

/**
 * Reads a zone XML.
 *
 * @throws ZoneXmlError when it is not well formed, cut short, empty, declares entities, or its root is not `<zone>`.
 */
export function parseZoneXml(text: string): ZoneConfig {
  const zone = parse(text);
  if (zone.tag !== 'zone') throw new ZoneXmlError(`expected <zone>, got <${zone.tag}>`);

  const unknown = new Set<string>();
  const attrs: Texts = new Map();
  const rctls: Texts = new Map();
  const nics: Nic[] = [];
  const disks: Device[] = [];
  const pciDevices: PciDevice[] = [];
  const filesystems: Filesystem[] = [];
  const datasets: string[] = [];

  for (const element of zone.children) {
    switch (element.tag) {
      case 'attr':
        addNameAndValue(attrs, element);
        break;
      case 'rctl':
        addLimits(rctls, element);
        break;
      case 'network':
        nics.push(readNetwork(element, unknown));
        break;
      case 'device': {
        const device = readDevice(element, unknown);
        (device.model === 'passthru' ? pciDevices : disks).push(device);
        break;
      }
      case 'filesystem':
        filesystems.push(readFilesystem(element, unknown));
        break;
      case 'dataset': {
        const { name } = readAttributes(tables.datasetTable, element, unknown);
        if (name !== undefined) datasets.push(name);
        break;
      }
      default:
        unknown.add(`element ${element.tag}`);
    }
  }

  return {
    // Object.assign, here and below: spreading a second object into a literal takes many times as long.
    properties: Object.assign(
      readAttributes(tables.zoneTable, zone, unknown),
      read(tables.attrTable, attrs, 'attr', unknown),
      read(tables.rctlTable, rctls, 'rctl', unknown),
    ),
    nics: sortedByNumber(nics, ({ interface: name }) => /^net(\d+)$/.exec(name ?? '')),
    disks: sortedByNumber(disks, ({ path }) => /[-/]disk(\d+)$/.exec(path ?? '')),
    pciDevices,
    filesystems,
    datasets,
    unknown: [...unknown],
  };
}

/** Texts of the XML by name, before the tables give them a type. */
type Texts = Map<string, string>;

function parse(text: string): Element {
  try {
    return parseXml(text);
  } catch (cause) {
    throw new ZoneXmlError(cause instanceof Error ? cause.message : 'not XML', { cause });
  }
}

function addNameAndValue(texts: Texts, { attributes }: Element): void {
  texts.set(attributes['name'] ?? '', attributes['value'] ?? '');
}

function addLimits(texts: Texts, rctl: Element): void {
  for (const { attributes } of rctl.children) {
    const { priv = '', action = '', limit = '' } = attributes;
    texts.set(`${rctl.attributes['name'] ?? ''} ${priv}.${action}`, limit);
  }
}

function readNetwork(element: Element, unknown: Set<string>): Nic {
  return Object.assign(
    readAttributes(tables.networkTable, element, unknown),
    readNetAttrs(tables.networkAttrTable, element, unknown),
  );
}

function readDevice(element: Element, unknown: Set<string>): Device {
  return Object.assign(
    readAttributes(tables.deviceTable, element, unknown),
    readNetAttrs(tables.deviceAttrTable, element, unknown),
  );
}

function readFilesystem(element: Element, unknown: Set<string>): Filesystem {
  const filesystem = readAttributes(tables.filesystemTable, element, unknown);
  const options = element.children.map(({ attributes }) => attributes['name'] ?? '');
  return options.length === 0 ? filesystem : { ...filesystem, options };
}

function readNetAttrs<T extends Table>(table: T, element: Element, unknown: Set<string>): FromTable<T> {
  const texts: Texts = new Map();
  for (const child of element.children) {
    if (child.tag === 'net-attr') addNameAndValue(texts, child);
    else unknown.add(`${element.tag} element ${child.tag}`);
  }
  return read(table, texts, `${element.tag} net-attr`, unknown);
}

function readAttributes<T extends Table>(table: T, element: Element, unknown: Set<string>): FromTable<T> {
  return read(table, new Map(Object.entries(element.attributes)), `${element.tag} attribute`, unknown);
}

/** The properties that `texts` give by `table`, in the table's order. */
function read<T extends Table>(table: T, texts: Texts, what: string, unknown: Set<string>): FromTable<T> {
  const properties: Record<string, unknown> = {};
  let known = 0;
  for (const name in table) {
    const text = texts.get(name);
    if (text === undefined) continue;
    known++;
    const row = table[name];
    if (!row) continue; // known and left out
    const value = readValue(row[1], text);
    if (value === undefined) unknown.add(`${what} ${name} (not a ${row[1]})`);
    else properties[row[0]] = value;
  }
  if (known < texts.size) {
    for (const name of texts.keys()) if (!Object.hasOwn(table, name)) unknown.add(`${what} ${name}`);
  }
  return properties as FromTable<T>;
}

/** Stable; no number counts as 0. */
function sortedByNumber<T>(items: readonly T[], match: (item: T) => RegExpExecArray | null): readonly T[] {
  if (items.length < 2) return items;
  return items
    .map((item) => ({ item, number: Number(match(item)?.[1] ?? 0) }))
    .sort((a, b) => a.number - b.number)
    .map(({ item }) => item);
}
