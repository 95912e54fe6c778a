/** Log records in bunyan's format, one JSON object a line on stdout, so that `bunyan` reads them. */
import { hostname } from 'node:os';
import { destination, pino, stdTimeFunctions, type Logger } from 'pino';

/** The levels that `--log-level` takes, as bunyan names them. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger. Each line is written before the call returns, so that the last words of a process are not lost. */
export function createLog(name: string, level: LogLevel): Logger {
  const base = { v: 0, name, hostname: hostname(), pid: process.pid };
  const time = () => stdTimeFunctions.isoTime();
  return pino({ base, level, timestamp: time, messageKey: 'msg' }, destination({ dest: 1, sync: true }));
}
