// Learning rates as they are typed.

/** A rate as it is typed, also with a decimal comma; undefined if it is none. */
export function rateOf(text: string): number | undefined {
  const rate = Number(text.trim().replace(",", ".") || Number.NaN);
  return Number.isFinite(rate) && rate > 0 ? rate : undefined;
}
