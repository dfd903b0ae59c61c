// A small matrix with its numbers in coloured cells.
import { cssColor, type Scale } from "../../shared/color";
import { exact, number } from "../../shared/format";
import { upTo } from "./channels";
import { WRITTEN_KERNEL } from "./limits";

export interface MatrixProps {
  label: string;
  values: ArrayLike<number>;
  rows: number;
  columns: number;
  scale: Scale;
  /** 0 where the cell is padding. */
  inside?: ArrayLike<number> | undefined;
  /** Kernels up to this size have their numbers written into the cells. */
  written?: number;
}

/** Cells far from zero are dark in every diverging table. */
const dark = (value: number, { high }: Scale) => Math.abs(value) > 0.55 * high;

export function Matrix({
  label,
  values,
  rows,
  columns,
  scale,
  inside,
  written: limit = WRITTEN_KERNEL,
}: MatrixProps) {
  const written = Math.max(rows, columns) <= limit;
  return (
    <table class="cnnw-lb-matrix" aria-label={label} data-written={written}>
      <tbody>
        {upTo(rows).map((row) => (
          <tr key={row}>
            {upTo(columns).map((column) => {
              const at = row * columns + column;
              const value = values[at] ?? 0;
              const padding = inside?.[at] === 0;
              return (
                <td
                  key={column}
                  class={padding ? "cnnw-lb-padding" : dark(value, scale) ? "cnnw-lb-dark" : ""}
                  style={padding ? {} : { background: cssColor(value, scale) }}
                  title={padding ? `${exact(value)} (padding)` : exact(value)}
                >
                  {written && number(value, 2)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
