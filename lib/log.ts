/** Log records in bunyan's format, one JSON object a line, so that `bunyan` reads them. */
import { hostname } from 'node:os';
import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { Sink } from './sink.js';

/** The levels that `--log-level` takes, as bunyan names them. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger that reports how many of its lines were lost, once it can. */
export function createLog(name: string, level: LogLevel, sink: Sink): Logger {
  const base = { v: 0, name, hostname: hostname(), pid: process.pid };
  const time = () => stdTimeFunctions.isoTime();
  const write = (line: string) => {
    sink.write(line);
  };
  const log = pino({ base, level, timestamp: time, messageKey: 'msg' }, { write });
  sink.onRoom = (lostLines) => {
    log.warn({ lostLines }, `${lostLines} lines of this log are lost: it could not be written`);
  };
  return log;
}
