import { PlainButton } from "./button";
import "./bars.css";

export interface Bar {
  label: string;
  value: number;
  /** The value as text, at the end of the row. */
  text: string;
}

export interface BarsProps {
  caption: string;
  rows: readonly Bar[];
  /** The value of a full bar; the largest size among the rows by default. */
  max?: number | undefined;
  unit?: string | undefined;
  /** Do the colours tell the sign? They always do where some are negative. */
  signed?: boolean | undefined;
  selected?: number | null | undefined;
  /** The row that was chosen, where another is `selected`. */
  pressed?: number | undefined;
  onSelect?: ((index: number) => void) | undefined;
}

/** Labelled horizontal bars; where some are negative they grow both ways from a zero line. */
export function Bars({ caption, rows, max, unit, signed, selected, pressed, onSelect }: BarsProps) {
  const sizes = rows.map(({ value }) => (Number.isFinite(value) ? Math.abs(value) : 0));
  const full = max ?? (Math.max(...sizes) || 1);
  const both = rows.some(({ value }) => value < 0);
  return (
    <figure class="cnnw-bars" data-signed={signed || both}>
      <figcaption>{caption + (unit ? ` (${unit})` : "")}</figcaption>
      <ul>
        {rows.map(({ label, value, text }, i) => (
          <li key={i} class={i === selected ? "cnnw-selected" : ""}>
            {onSelect ? (
              <PlainButton
                aria-pressed={i === (pressed ?? selected)}
                title={label}
                onClick={() => onSelect(i)}
              >
                {label}
              </PlainButton>
            ) : (
              <span title={label}>{label}</span>
            )}
            <div class={both ? "cnnw-signed" : ""}>
              <i
                class={value < 0 ? "cnnw-negative" : ""}
                style={{
                  width: `${((both ? 50 : 100) * Math.min(1, (sizes[i] as number) / full)).toFixed(2)}%`,
                }}
              />
            </div>
            <output>{text}</output>
          </li>
        ))}
      </ul>
    </figure>
  );
}
