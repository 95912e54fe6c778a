/** Summarises many measurements of the same thing. Pure. */

/** The value that a share of all values is at or below; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** A line through points: how much `y` grows with each unit of `x`. */
export interface Line {
  readonly slope: number;
  /** Of the slope, as the distances of the points from the line have it; 0 for fewer than three points. */
  readonly standardError: number;
}

/** The least-squares line. */
export function lineThrough(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  let covariance = 0;
  let variance = 0;
  for (const { x, y } of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  if (variance === 0) return { slope: 0, standardError: 0 };
  const slope = covariance / variance;
  const squares = points.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return {
    slope,
    standardError: points.length < 3 ? 0 : Math.sqrt(squares / (points.length - 2) / variance),
  };
}
