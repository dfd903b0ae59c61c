/** Ends of axes, times a power of ten. */
const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The least round number that is not below a size: 0.25, 8; 0 of 0. */
export function roundEnd(size: number): number {
  if (!(size > 0)) return 0;
  const power = Math.floor(Math.log10(size));
  const found = ROUND.find((end) => end * 10 ** power >= size * (1 - 1e-6)) ?? 10;
  return Number(`${found}e${power}`);
}
