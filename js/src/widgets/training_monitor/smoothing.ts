// Smoothing of curves.

/**
 * Exponential moving average, `weight` on what was before; each mean is divided by the sum of its weights,
 * so that the first points are not drawn towards zero (as TensorBoard does). What is not finite stays, and
 * counts for nothing.
 */
export function smooth(values: ArrayLike<number>, weight: number): Float32Array {
  const out = new Float32Array(values.length);
  let [mean, sum] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) {
      mean = weight * mean + (1 - weight) * value;
      sum = weight * sum + (1 - weight);
      out[i] = mean / sum;
    } else out[i] = value;
  }
  return out;
}

/** The same of rates: the mean is that of the times that one takes, so that short pauses count as long as they last. */
export const smoothRates = (rates: ArrayLike<number>, weight: number): Float32Array =>
  smooth(
    Float32Array.from(rates, (rate) => 1 / rate),
    weight,
  ).map((time) => 1 / time);
