/**
 * The files of a host as an operator changes them, each in the way of the tool that owns it (files.ts); and in ways that
 * break them.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonValue } from '../vm/json.js';
import { moveOver, readIfExists, removeFile, replaceFile, rewriteInPlace } from './files.js';
import type { Operator } from './operator.js';
import { SimulatorError } from './simulator-error.js';
import { writeLastExited, writeXml } from './zone-commands.js';
import { applyChange, type ConfigChange, type Zonecfg } from './zonecfg.js';
import { renderZonecfg } from './zonecfg-xml.js';

/** One of the JSON files in a zone's config directory. */
export type ConfigName = 'metadata' | 'tags' | 'routes';

/** Values to set by name; null removes one. */
export type Entries = Readonly<Record<string, unknown>>;

/** The operations on files. */
export interface FileOperations {
  /** The path of a zone's XML. */
  xmlFile(zonename: string): string;
  /** The path of one of a zone's config files. */
  configFile(zonename: string, file: ConfigName): string;
  /** The path of a zone's lastexited. */
  lastExitedFile(zonename: string): string;
  /** Changes a zone's configuration and rewrites its XML as zonecfg does: temporary file, then rename. */
  readonly updateConfig: (
    zonename: string,
    change: ConfigChange | ((config: Zonecfg) => void),
  ) => Promise<void>;
  /** Sets the attr `transition`, e.g. `provisioning:running:1795428000`, as vmadm does while it works; null ends it. */
  setTransition(zonename: string, transition: string | null): Promise<void>;
  /** Moves the XML over from another filesystem: the old file is deleted, then a new one created. */
  moveXmlOver(zonename: string): Promise<void>;
  /** Deletes the XML and nothing else; {@link FileOperations.rewriteXml} brings it back. */
  deleteXml(zonename: string): Promise<void>;
  /** Rewrites the XML by rename, whatever state it is in. */
  rewriteXml(zonename: string): Promise<void>;
  /**
   * Changes the object in a config file (`{}` when there is none), and replaces the file by rename. As do all that follow,
   * it rejects with a SimulatorError, and changes nothing, when the file holds something else.
   */
  updateConfigFile(
    zonename: string,
    file: ConfigName,
    change: (value: Record<string, unknown>) => void,
  ): Promise<void>;
  /** Sets tags. */
  setTags(zonename: string, tags: Entries): Promise<void>;
  /** Sets customer or internal metadata. */
  setMetadata(
    zonename: string,
    kind: 'customer_metadata' | 'internal_metadata',
    entries: Entries,
  ): Promise<void>;
  /** Sets routes. */
  setRoutes(zonename: string, routes: Entries): Promise<void>;
  /** Writes lastexited as zoneadmd does: truncated, then in place. */
  writeLastExited(zonename: string, waitStatus: number): Promise<void>;
  /** Sets properties in the sysinfo cache. */
  updateSysinfo(entries: Entries): Promise<void>;
  /** Writes any text into an existing file, in place; the returned function restores the old content. */
  corrupt(path: string, text: string): () => void;
}

/** The {@link FileOperations} of an operator. */
export function fileOperations(operator: Operator): FileOperations {
  const { paths, zones, onZone } = operator;
  const inZone = (zonename: string, name: string): string =>
    join(paths.inTree(zones.get(zonename).zonepath), name);
  const configFile = (zonename: string, file: ConfigName): string => inZone(zonename, `config/${file}.json`);

  const updateConfig: FileOperations['updateConfig'] = (zonename, change) =>
    onZone(zonename, (zone) => {
      if (typeof change === 'function') change(zone.config);
      else applyChange(zone.config, change);
      zones.put(zone);
      writeXml(operator, zone);
    });
  const updateConfigFile: FileOperations['updateConfigFile'] = (zonename, file, change) =>
    onZone(zonename, () => {
      updateJson(configFile(zonename, file), change);
    });

  return {
    xmlFile: (zonename) => paths.zoneXml(zonename),
    configFile,
    lastExitedFile: (zonename) => inZone(zonename, 'lastexited'),
    updateConfig,
    setTransition: (zonename, transition) => updateConfig(zonename, { attrs: { transition } }),
    moveXmlOver: (zonename) =>
      onZone(zonename, (zone) => {
        moveOver(paths.zoneXml(zonename), renderZonecfg(zone.config));
      }),
    deleteXml: (zonename) =>
      onZone(zonename, () => {
        removeFile(paths.zoneXml(zonename));
      }),
    rewriteXml: (zonename) =>
      onZone(zonename, (zone) => {
        writeXml(operator, zone);
      }),
    updateConfigFile,
    setTags: (zonename, tags) =>
      updateConfigFile(zonename, 'tags', (value) => {
        merge(value, tags);
      }),
    setMetadata: (zonename, kind, entries) =>
      updateConfigFile(zonename, 'metadata', (value) => {
        const metadata = (value[kind] ??= {}) as JsonValue;
        if (!isJsonObject(metadata))
          throw new SimulatorError(configFile(zonename, 'metadata'), `its ${kind} is no object`);
        merge(metadata, entries);
      }),
    setRoutes: (zonename, routes) =>
      updateConfigFile(zonename, 'routes', (value) => {
        merge(value, routes);
      }),
    writeLastExited: (zonename, waitStatus) =>
      onZone(zonename, (zone) => {
        writeLastExited(operator, zone, waitStatus);
      }),
    updateSysinfo: (entries) =>
      operator.exclusively(() => {
        updateJson(paths.sysinfo, (value) => {
          merge(value, entries);
        });
      }),
    corrupt: (path, text) => {
      const before = readFileSync(path, 'utf8');
      rewriteInPlace(path, text);
      return () => {
        rewriteInPlace(path, before);
      };
    },
  };
}

/** A tool that finds anything but an object in the file that it is to change gives up, too. */
function updateJson(path: string, change: (value: Record<string, unknown>) => void): void {
  const value = parsed(path, readIfExists(path) ?? '{}');
  if (!isJsonObject(value)) throw new SimulatorError(path, 'holds no JSON object');
  change(value);
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

function parsed(path: string, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new SimulatorError(path, `is not JSON: ${(error as Error).message}`);
  }
}

function merge(target: Record<string, unknown>, entries: Entries): void {
  for (const [name, value] of Object.entries(entries)) {
    if (value === null) Reflect.deleteProperty(target, name);
    // A key such as __proto__ must become a property like any other.
    else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  }
}
