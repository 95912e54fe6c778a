/** Periods of time as an operator writes them: `300s`, `5m`, `500ms`. Pure. */

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/**
 * A period in milliseconds.
 *
 * @throws RangeError when it is not a positive number with a unit.
 */
export function parsePeriodMs(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const periodMs = Number(number) * unitsMs[(unit ?? 's') as keyof typeof unitsMs];
  if (!(periodMs >= 1 && periodMs <= 2 ** 31 - 1)) {
    throw new RangeError(`expected a period such as 300s, 5m or 500ms, got '${text}'`);
  }
  return periodMs;
}
