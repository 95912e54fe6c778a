/** `vminfo fleet serve`: the gateway, until it is interrupted. */
import { FleetClient } from '../../fleet/client.js';
import { startGateway } from '../../gateway.js';
import { exit, type Context } from '../context.js';

export interface ServeOptions {
  readonly listen: string;
  readonly port: number;
  readonly socket?: string;
  readonly allowHost: readonly string[];
  readonly page: boolean;
}

export async function serve({ client }: Context, { allowHost, ...options }: ServeOptions): Promise<number> {
  if (!(client instanceof FleetClient)) throw new TypeError('a gateway needs the fleet');
  const gateway = await startGateway({ fleet: client, allowedHosts: allowHost, ...options });
  const close = () => void gateway.close();
  // `on`, not `once`: under npm the signal arrives twice, from the terminal and from npm.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, close);
  await gateway.ended;
  await gateway.close();
  return exit.ok;
}
