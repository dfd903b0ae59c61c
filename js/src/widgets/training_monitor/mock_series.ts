// Made-up histograms over time.
import { BINS, FIELDS, type Field, type Series } from "./types";

/** A series whose rows are {bin: code}; an empty row was measured and holds nothing. */
export function seriesOf(
  rows: (Record<number, number> | null)[],
  fields: Partial<Series["fields"]> = {},
) {
  const codes = new Uint8Array(rows.length * BINS);
  for (const [i, row] of rows.entries()) {
    if (row) for (const [bin, code] of Object.entries(row)) codes[i * BINS + Number(bin)] = code;
    else codes.fill(255, i * BINS, (i + 1) * BINS);
  }
  const all = Object.fromEntries(
    FIELDS.map((field) => [field, new Float32Array(rows.length)]),
  ) as Record<Field, Float32Array>;
  const steps = Float32Array.from(rows, (_, i) => 10 * (i + 1));
  return { steps, codes, fields: { ...all, ...fields } } satisfies Series;
}
