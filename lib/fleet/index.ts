/**
 * The exports of `vminfod/fleet`: the client of the fleet. It is not in the main export because it loads NATS's library.
 */
export { FleetClient, type FleetClientOptions } from './client.js';
export type { NatsOptions } from './connection.js';
export type { HostRecord } from './host-record.js';
export type { FleetHost } from './hosts.js';
export type { FleetEvent } from './mirror.js';
