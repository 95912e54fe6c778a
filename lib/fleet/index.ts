/**
 * What `import 'vminfod/fleet'` gives a program: the client of the fleet. It is not in the main export because it brings
 * NATS's library with it.
 */
export { FleetClient, type FleetClientOptions } from './client.js';
export type { NatsOptions } from './connection.js';
export type { HostRecord } from './host-record.js';
export type { FleetHost } from './hosts.js';
export type { FleetEvent } from './mirror.js';
