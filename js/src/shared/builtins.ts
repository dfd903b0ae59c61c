// What build.mjs puts in the place of names that minifiers leave long: 3 kB in all bundles.
export const { isFinite: NUMBER_ISFINITE, NEGATIVE_INFINITY: NUMBER_LOWEST } = Number;
export const {
  abs: MATH_ABS,
  floor: MATH_FLOOR,
  max: MATH_MAX,
  min: MATH_MIN,
  round: MATH_ROUND,
} = Math;
