/**
 * What can go wrong between a program and vminfod, one class for each thing a caller may want to do about it.
 * Every error has a stable `code`, says which daemon it is about, and keeps its `cause`.
 */

/** Any failure of the client. Catch this to catch them all. */
export class VminfodError extends Error {
  override readonly name: string = 'VminfodError';
  /** Stable, for programs: the daemon's own code where it sent one. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** There is no such VM (404). */
export class NotFoundError extends VminfodError {
  override readonly name = 'NotFoundError';
}

/** No daemon answers at the address: not running, wrong URL, or no permission on its socket. */
export class UnreachableError extends VminfodError {
  override readonly name = 'UnreachableError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'Unreachable', options);
  }
}

/**
 * The daemon runs but cannot answer yet (503): it is still loading (`NotReady`), this zone never loaded
 * (`LoadError`, with the reason), or too many listeners or unread answers (`TooManyListeners`, `TooManyAnswers`).
 */
export class NotReadyError extends VminfodError {
  override readonly name = 'NotReadyError';
}

/** A request, the `ready` line or a wait took too long. */
export class TimeoutError extends VminfodError {
  override readonly name = 'TimeoutError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ETIMEOUT', options);
  }
}

/** The daemon refused the request itself (400, 403, 405): an unknown filter or field, a forbidden Host. */
export class BadRequestError extends VminfodError {
  override readonly name = 'BadRequestError';
}

/** The answer is not in vminfod's protocol. */
export class BadAnswerError extends VminfodError {
  override readonly name = 'BadAnswerError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, 'BadAnswer', options);
  }
}

/** The event stream ended unexpectedly, and reconnecting was switched off. */
export class StreamEndedError extends VminfodError {
  override readonly name = 'StreamEndedError';

  constructor(options?: ErrorOptions) {
    super('VminfodEventStream ended prematurely', 'StreamEnded', options);
  }
}

/** The error for an answer other than 200: the daemon's `{code, message}` where it sent one. */
export function refusal(status: number, text: string, path: string): VminfodError {
  const { code, message } = errorBody(text);
  const what = message ?? `${path}: HTTP ${status}`;
  switch (status) {
    case 404:
      return new NotFoundError(what, code ?? 'NotFound');
    case 503:
      return new NotReadyError(what, code ?? 'NotReady');
    case 504:
      return new TimeoutError(what);
    case 400:
    case 403:
    case 405:
      return new BadRequestError(what, code ?? 'BadRequest');
    default:
      return new BadAnswerError(what);
  }
}

/** Converts any error of an HTTP exchange to one of the classes above; these pass through. */
export function asClientError(error: unknown, url: string): VminfodError {
  if (error instanceof VminfodError) return error;
  const { code = '', message } = error as { code?: string; message: string };
  return code.startsWith('HPE_')
    ? new BadAnswerError(`${url} does not speak HTTP: ${message}`, { cause: error })
    : new UnreachableError(`cannot reach vminfod at ${url}: ${message || code}`, { cause: error });
}

function errorBody(text: string): { code?: string; message?: string } {
  try {
    const body = JSON.parse(text) as Record<string, unknown> | null;
    return {
      ...(typeof body?.['code'] === 'string' && { code: body['code'] }),
      ...(typeof body?.['message'] === 'string' && { message: body['message'] }),
    };
  } catch {
    return {}; // An old daemon sends plain text: the status is enough.
  }
}
