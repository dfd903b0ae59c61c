// A small matrix with its numbers in coloured cells.
import { cssColor, ink, type Scale } from "../../shared/color";
import { exact, number } from "../../shared/format";
import { upTo } from "./channels";
import { WRITTEN_KERNEL } from "./limits";

export interface MatrixProps {
  label: string;
  /** A heading for the eye; screen readers have the label. */
  caption?: string | undefined;
  values: ArrayLike<number>;
  rows: number;
  columns: number;
  scale: Scale;
  /** 0 where the cell is padding. */
  inside?: ArrayLike<number> | undefined;
  /** Kernels up to this size have their numbers written into the cells. */
  written?: number;
}

export function Matrix({
  label,
  caption,
  values,
  rows,
  columns,
  scale,
  inside,
  written: limit = WRITTEN_KERNEL,
}: MatrixProps) {
  const written = Math.max(rows, columns) <= limit;
  return (
    <table aria-label={label} data-written={written}>
      {caption && <caption>{caption}</caption>}
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
                  tabIndex={-1}
                  style={
                    padding ? {} : { background: cssColor(value, scale), color: ink(value, scale) }
                  }
                  title={exact(value)}
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
