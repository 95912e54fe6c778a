/**
 * Files that cannot be read, are cut short, or are away for a while.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultKinds, FaultKit, Undo } from './fault-kit.js';
import { moveAway } from './scene.js';

/** See the module's head. */
export function fileFaults({ host, random, onVanished, corrupt, zonename }: FaultKit): FaultKinds {
  const sysinfo = sysinfoOf(host);
  const config = () => host.configFile(zonename(), random.pick(['metadata', 'tags', 'routes']));
  const half = (path: string) => {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return text.slice(0, random.integer(0, Math.max(1, text.length - 3)));
  };
  const corruptXml = (text: (path: string) => string): Undo | undefined => {
    const path = host.xmlFile(zonename());
    return corrupt(path, text(path));
  };
  return {
    'zone XML truncated': () => corruptXml((path) => half(path)),
    'zone XML broken': () =>
      corruptXml(() => random.pick(['', '<zone', '<zone name="x"/>', '\u0000\u0001\u0002'])),
    'zone XML away': () => {
      const name = zonename();
      const path = host.xmlFile(name);
      if (!existsSync(path)) return undefined;
      onVanished(name);
      const putBack = moveAway(host, random, path);
      return () => {
        putBack();
        if (!host.zonenames().includes(name)) rmSync(path, { force: true }); // it went with its zone
      };
    },
    // As when its file system is not mounted. A zone may be created or destroyed meanwhile, by halves.
    '/etc/zones away': () => {
      const path = host.path('/etc/zones');
      if (!existsSync(path)) return undefined;
      for (const name of host.zonenames()) onVanished(name);
      return moveAway(host, random, path);
    },
    'JSON truncated': () => {
      const path = config();
      return corrupt(path, half(path));
    },
    'JSON broken': () => corrupt(config(), random.pick(['', 'null', '[]', '"text"', '{"a":', '\u0000'])),
    'lastexited empty': () => corrupt(host.lastExitedFile(zonename()), ''),
    'lastexited broken': () =>
      corrupt(host.lastExitedFile(zonename()), random.pick(['x', '1.5', 'a b', '5.5 x'])),
    'sysinfo broken': () => corrupt(sysinfo, random.pick(['', '{', '[]'])),
    'sysinfo missing': () => (existsSync(sysinfo) ? moveAway(host, random, sysinfo) : undefined),
    'config directory away': () => {
      const path = join(host.path(host.zone(zonename()).zonepath), 'config');
      return existsSync(path) ? moveAway(host, random, path) : undefined;
    },
  };
}

/**
 * Mends what is broken when all these faults are over: what was written while a file was broken, or comes back by a
 * rollback to a snapshot of that time. Call it first while all is well, to learn how that is.
 */
export function fileRepair({ host }: FaultKit): () => Promise<void> {
  const sysinfo = sysinfoOf(host);
  const goodSysinfo = readFileSync(sysinfo, 'utf8');
  return async () => {
    if (!isJsonObject(readFileSync(sysinfo, 'utf8'))) writeFileSync(sysinfo, goodSysinfo);
    for (const name of host.zonenames()) {
      await host.rewriteXml(name);
      for (const file of ['metadata', 'tags', 'routes'] as const) {
        const path = host.configFile(name, file);
        if (existsSync(path) && !isJsonObject(readFileSync(path, 'utf8'))) writeFileSync(path, '{}\n');
      }
    }
  };
}

function sysinfoOf(host: FaultKit['host']): string {
  return host.path('/tmp/.sysinfo.json');
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
