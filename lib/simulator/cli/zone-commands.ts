/**
 * vminfod-sim's commands on zones: list, create, destroy, start, stop, reboot, restart-init.
 */
import { Option, type Command } from 'commander';
import { vmKinds, type VmKind } from '../vm-kinds.js';
import { attrOf } from '../zonecfg.js';
import { onZone, openHost, type Print } from './context.js';

/** Adds them. */
export function addZoneCommands(program: Command, print: Print): void {
  program
    .command('list')
    .description('list the zones: zonename, state, brand, alias')
    .action(async () => {
      const host = await openHost(program);
      for (const zonename of host.zonenames()) {
        const { state, config } = host.zone(zonename);
        const alias = attrOf(config, 'alias') ?? '-';
        print([zonename.padEnd(36), state.padEnd(13), config.brand.padEnd(14), alias].join('  '));
      }
    });

  program
    .command('create')
    .description('create a zone and print its zonename')
    .addOption(
      new Option('--brand <kind>', 'what kind of VM').choices([...vmKinds]).default('joyent-minimal'),
    )
    .option('--alias <alias>', 'its alias (default: a generated one)')
    .option('--zonename <name>', 'its zonename (default: its UUID)')
    .option('--no-boot', 'leave it stopped')
    .action(async (options: { brand: VmKind; alias?: string; zonename?: string; boot: boolean }) => {
      const { brand, ...rest } = options;
      const host = await openHost(program);
      print(await host.createZone({ kind: brand, ...rest }));
    });

  onZone(program, 'destroy', 'halt a zone and delete it with its datasets', (host, zone) =>
    host.destroyZone(zone),
  );
  onZone(program, 'start', 'boot a zone', (host, zone) => host.start(zone));
  onZone(program, 'stop', 'halt a zone', (host, zone, { waitStatus }) =>
    host.stop(zone, { waitStatus: Number(waitStatus) }),
  ).option('--wait-status <status>', 'how its init ended, see wait(2)', '0');
  onZone(program, 'reboot', 'halt a zone and boot it again', (host, zone) => host.reboot(zone));
  onZone(program, 'restart-init', "kill the zone's init, which is then restarted", (host, zone) =>
    host.restartInit(zone),
  );
}
