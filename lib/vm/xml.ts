/**
 * XML text → elements. Strict where it matters: what comes out was well formed and complete. A DOCTYPE is skipped; what it
 * refers to is never fetched, and one that declares entities is refused, so that nothing can be expanded.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** An element without its text, of which zone XML has none. */
export interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
}

/**
 * The root element of an XML document.
 *
 * @throws Error that says what is wrong, with line and column where known.
 */
export function parseXml(text: string): Element {
  // The parser lets unclosed and mismatched tags pass; the validator does not. Its successor is a package of its own that
  // brings five others along.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new Error(`${valid.err.msg} (line ${valid.err.line})`);
  const [root, ...others] = toElements(parser.parse(text) as Nodes);
  if (root === undefined || others.length > 0) throw new Error('expected one root element');
  return root;
}

/** fast-xml-parser's nodes with `preserveOrder`: children, or a text, under the tag; attributes under `:@`. */
type Nodes = readonly Readonly<Record<string, unknown>>[];

function toElements(nodes: Nodes): readonly Element[] {
  return nodes.flatMap((node) => {
    const tag = Object.keys(node).find((key) => key !== ':@') ?? '';
    const children = node[tag];
    if (!Array.isArray(children)) return []; // text
    const attributes = (node[':@'] ?? {}) as Element['attributes'];
    return [{ tag, attributes, children: toElements(children as Nodes) }];
  });
}

// `jPath: false` and no text: fast-xml-parser then neither builds the path of each tag nor keeps the indentation.
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  trimValues: false,
  tagValueProcessor: () => '',
  ignoreDeclaration: true,
  ignorePiTags: true,
  jPath: false,
  processEntities: true,
  entityDecoder: {
    decode: decodeEntities,
    addInputEntities(declared) {
      if (Object.keys(declared).length > 0) throw new Error('the DOCTYPE declares entities');
    },
    setExternalEntities: () => undefined,
    setXmlVersion: () => undefined,
    reset: () => undefined,
  },
});

const predefined: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** XML 1.0, 4.1 and 4.6: the five predefined entities and character references; no others exist without a DTD. */
function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));|&/g, (reference, hex, decimal, name) => {
    if (typeof name === 'string' && Object.hasOwn(predefined, name)) return predefined[name] ?? '';
    const codePoint = typeof hex === 'string' ? parseInt(hex, 16) : Number(decimal);
    if (!(codePoint > 0 && codePoint <= 0x10ffff)) throw new Error(`unknown entity ${reference}`);
    return String.fromCodePoint(codePoint);
  });
}
