/** @param {readonly number[]} values */
export function median(values) {
  return percentile(values, 50);
}

/** @param {readonly number[]} values */
export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (percent / 100) * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

/** What is printed of several runs. */
export function summary(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values), runs: values.length };
}
