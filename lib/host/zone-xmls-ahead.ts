/**
 * Parses zone XMLs before they are asked for. When a daemon starts, its file thread has nothing to do until zoneadm has
 * named the zones; parsing their XMLs is most of what it does then.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileThreads } from '../config.js';
import { parsedZoneXml, readFileNow } from './file-reader.js';
import { zonenameOfXml } from './paths.js';

export interface ZoneXmlsAheadOptions {
  /** Called before and after each call that may block. */
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}

/** The JSON of a zone XML's ZoneConfig, and the text that it was made of. */
interface ParsedXml {
  readonly text: string;
  readonly json: string;
}

/** XMLs that are parsed, one in each turn of the event loop, until somebody takes the first. */
export class ZoneXmlsAhead {
  readonly #options: ZoneXmlsAheadOptions;
  readonly #parsed = new Map<string, ParsedXml>();
  #turn: NodeJS.Immediate | undefined;

  constructor(options: ZoneXmlsAheadOptions) {
    this.#options = options;
  }

  /** Begins with those in a directory. What cannot be read or parsed is left to whoever asks for it. */
  begin(directory: string): void {
    const paths = this.#list(directory);
    let left: number = fileThreads.parseAheadMaxChars;
    const next = () => {
      const path = left > 0 ? paths.pop() : undefined;
      if (path === undefined) return;
      this.#turn = setImmediate(next);
      const parsed = this.#parse(path);
      if (parsed === undefined) return;
      left -= parsed.text.length + parsed.json.length;
      this.#parsed.set(path, parsed);
    };
    this.#turn = setImmediate(next);
  }

  /** The JSON of the XML at a path, if it was parsed and this is its text. It is forgotten here, and no other is parsed. */
  readonly take = (path: string, text: string): string | undefined => {
    clearImmediate(this.#turn);
    const parsed = this.#parsed.get(path);
    this.#parsed.delete(path);
    return parsed?.text === text ? parsed.json : undefined;
  };

  /** Forgets what nobody has taken. */
  end(): void {
    clearImmediate(this.#turn);
    this.#parsed.clear();
  }

  #list(directory: string): string[] {
    this.#options.onBegin();
    try {
      const names = readdirSync(directory).filter((name) => zonenameOfXml(name) !== undefined);
      return names.map((name) => join(directory, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return []; // Who watches the directory reports it.
    } finally {
      this.#options.onEnd();
    }
  }

  #parse(path: string): ParsedXml | undefined {
    this.#options.onBegin();
    try {
      const answer = readFileNow({ path });
      if (answer.type !== 'read') return undefined;
      const parsed = parsedZoneXml(answer);
      return parsed.type === 'read' ? { text: answer.text, json: parsed.text } : undefined;
    } finally {
      this.#options.onEnd();
    }
  }
}
