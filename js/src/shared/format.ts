// Numbers as text. A minus is a minus sign (−), so that columns of digits line up.

const minus = (text: string) => text.replace(/-/g, "−");

/** Four significant digits: 0.01235, −12.35, 1,235, 1.235e−7. */
export function number(x: number, digits = 4): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  if (size && (size < 1e-4 || size >= 1e7))
    return minus(x.toExponential(digits - 1).replace("+", ""));
  const rounded = Number(x.toPrecision(digits));
  return minus(
    rounded.toLocaleString("en", { maximumSignificantDigits: Math.max(digits, 7) }),
  ).replace(/^−0$/, "0");
}

/** All the digits that tell one float32 from its neighbours. */
export function exact(x: number): string {
  if (!Number.isFinite(x)) return number(x);
  for (let digits = 6; digits < 9; digits++)
    if (Math.fround(Number(x.toPrecision(digits))) === Math.fround(x))
      return minus(String(Number(x.toPrecision(digits))));
  return minus(String(Number(x.toPrecision(9))));
}

/** 1,792 */
export const count = (n: number): string => minus(n.toLocaleString("en"));

/** 64×224×224; a scalar has no axes and reads "scalar". */
export const shape = (axes: readonly number[]): string => axes.join("×") || "scalar";

/** 12.3 kB; decimal units. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const power = Math.min(3, Math.floor(Math.log10(n) / 3));
  return `${number(n / 1000 ** power, 3)} ${["", "kB", "MB", "GB"][power]}`;
}

/** 36.2 %, 0.11 %, < 0.01 % */
export function percent(fraction: number): string {
  if (fraction > 0 && fraction < 1e-4) return "< 0.01 %";
  const size = 100 * fraction;
  return `${number(Math.abs(size) < 1 ? Number(size.toFixed(2)) : size, 3)} %`;
}
