/**
 * vminfod-sim's commands on files: set, tag, metadata, routes, sysinfo, xml.
 */
import { Argument, type Command } from 'commander';
import type { ConfigChange } from '../zonecfg.js';
import { SimulatorError } from '../simulator-error.js';
import { onZoneEntries, openHost } from './context.js';
import { parseEntries, type Value } from './values.js';

/** Adds them. */
export function addFileCommands(program: Command): void {
  onZoneEntries(
    program,
    'set',
    'set attrs (alias, ram, …), rctls (zone.…) or autoboot in the zone XML',
    (host, zone, entries) => host.updateConfig(zone, toConfigChange(entries)),
  );
  onZoneEntries(program, 'tag', 'set tags', (host, zone, entries) => host.setTags(zone, entries));
  onZoneEntries(program, 'metadata', 'set customer metadata', (host, zone, entries, { internal }) =>
    host.setMetadata(zone, internal === true ? 'internal_metadata' : 'customer_metadata', entries),
  ).option('--internal', 'set internal metadata instead');
  onZoneEntries(program, 'routes', 'set routes', (host, zone, entries) => host.setRoutes(zone, entries));

  program
    .command('sysinfo')
    .description('set properties in the sysinfo cache, e.g. "Datacenter Name=emy-11"')
    .argument('<key=value...>', 'an empty value removes the key')
    .action(async (texts: string[]) => {
      const host = await openHost(program);
      await host.updateSysinfo(parseEntries(texts));
    });

  program
    .command('xml')
    .description('do to a zone XML: move it over from another filesystem, delete it, rewrite it')
    .argument('<zone>')
    .addArgument(new Argument('<what>').choices(['move-over', 'delete', 'rewrite']))
    .action(async (zone: string, what: string) => {
      const host = await openHost(program);
      const { zonename } = host.findZone(zone);
      if (what === 'move-over') await host.moveXmlOver(zonename);
      else if (what === 'delete') await host.deleteXml(zonename);
      else await host.rewriteXml(zonename);
    });
}

function toConfigChange(entries: Readonly<Record<string, Value>>): ConfigChange {
  const { autoboot, ...rest } = entries;
  const attrs: Record<string, Value> = {};
  const rctls: Record<string, number | null> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith('zone.')) rctls[name] = value === null ? null : Number(value);
    else if (rctlNames.has(name))
      throw new SimulatorError(name, `is a limit in the zone XML: set ${rctlNames.get(name) ?? ''}=…`);
    else attrs[name.replaceAll('_', '-')] = value;
  }
  return { attrs, rctls, ...(autoboot === undefined ? {} : { autoboot: autoboot === true }) };
}

/** Properties of VM objects that are limits in the zone XML, by the name of the limit. */
const rctlNames: ReadonlyMap<string, string> = new Map(
  [
    ...['cpu_shares', 'cpu_cap', 'zfs_io_priority', 'max_lwps', 'max_msg_ids', 'max_sem_ids', 'max_shm_ids'],
    ...['max_locked_memory', 'max_physical_memory', 'max_shm_memory', 'max_swap'],
  ].map((name) => [name, `zone.${name.replaceAll('_', '-')}`]),
);
