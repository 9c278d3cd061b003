export interface Point {
  step: number;
  epoch: number;
  value: number;
}

/** A point of a drawn line: the mean of the points that fell together, and how far they spread. */
export interface Bin extends Point {
  low: number;
  high: number;
}

/** Joins neighbouring points until at most `count` are left; a curve of 30,000 steps is drawn with as few. */
export function binned(points: Point[], count: number): Bin[] {
  if (points.length <= count) return points.map((point) => ({ ...point, low: point.value, high: point.value }));
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * points.length) / count);
    const group = points.slice(from, Math.floor(((i + 1) * points.length) / count));
    const values = group.map((point) => point.value);
    const middle = group[Math.floor(group.length / 2)];
    return {
      step: middle.step,
      epoch: middle.epoch,
      value: values.reduce((sum, value) => sum + value, 0) / values.length,
      low: Math.min(...values),
      high: Math.max(...values),
    };
  });
}
