/** What can go wrong between a program and the fleet, as errors like the client's. */
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { UnreachableError, VminfodError } from '../client/errors.js';

/** The streams do not exist: nobody has run `vminfo fleet init`, or the store was lost. */
export class NoFleetError extends VminfodError {
  override readonly name = 'NoFleetError';

  constructor(stream: string, options?: ErrorOptions) {
    super(`there is no stream ${stream}: vminfo fleet init makes it`, 'NoFleet', options);
  }
}

/** NATS refused, or what it sent is not ours. */
export class FleetError extends VminfodError {
  override readonly name = 'FleetError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'Fleet', options);
  }
}

/** The stream is at its `max_bytes`, or the server's disk or memory is. */
export class FullError extends VminfodError {
  override readonly name = 'FullError';

  constructor(message: string, options?: ErrorOptions) {
    super(`the stream is full: ${message}`, 'Full', options);
  }
}

/** Somebody else has written the subject since we looked. */
export class ConflictError extends VminfodError {
  override readonly name = 'ConflictError';

  constructor(subject: string, options?: ErrorOptions) {
    super(`${subject} has been written by somebody else`, 'Conflict', options);
  }
}

/** Error codes of the server that its library does not name. */
const maximumBytes = 10077;
const insufficientResources = 10023;
const insufficientStorage = 10047;

/** Converts any error of NATS to one of the classes above; these pass through. */
export function asFleetError(error: unknown, about: string): VminfodError {
  if (error instanceof VminfodError) return error;
  const { message } = error as Error;
  if (error instanceof JetStreamApiError) {
    switch (error.code) {
      case JetStreamApiCodes.StreamNotFound:
        return new NoFleetError(about, { cause: error });
      case JetStreamApiCodes.StreamWrongLastSequence:
        return new ConflictError(about, { cause: error });
      case maximumBytes:
      case insufficientResources:
      case insufficientStorage:
        return new FullError(message, { cause: error });
      default:
        return new FleetError(`${about}: ${message}`, { cause: error });
    }
  }
  return new UnreachableError(`${about}: ${message}`, { cause: error });
}
