import { useLayoutEffect, useRef } from "preact/hooks";
import { colors, over, type Scale } from "./color";
import { number } from "./format";
import { NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY } from "./look";
import "./legend.css";

export interface LegendProps {
  scale: Scale;
  /** What is coloured, and over what the range was taken: "activation, this layer". */
  caption: string;
  unit?: string | undefined;
  /** Also explains the colours of NaN, +∞ and −∞. */
  hasNaN?: boolean | undefined;
  /** Of the colours over a grey picture; the bar shows them over black (above) to white (below). */
  opacity?: number | undefined;
}

const SHADES = 10;
const GREY = 0x010101;

/** The colour bar of a scale, with its range (and zero where the range spans it). */
export function Legend({ scale, caption, unit = "", hasNaN, opacity = 1 }: LegendProps) {
  const { low, high, table } = scale;
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    const bar = new ImageData(256, SHADES);
    const palette = colors(table);
    new Uint32Array(bar.data.buffer).forEach((_, i, pixels) => {
      const shade = Math.round((255 * Math.floor(i / 256)) / (SHADES - 1));
      pixels[i] = over(palette[i % 256] as number, shade * GREY, opacity);
    });
    context?.putImageData(bar, 0, 0);
  }, [table, opacity]);
  const text = (x: number) => number(x) + (unit && ` ${unit}`);
  return (
    <figure
      class="cnnw-legend"
      role="img"
      aria-label={`${caption}: colours from ${text(low)} to ${text(high)}`}
    >
      <figcaption>{caption}</figcaption>
      <canvas ref={canvas} width={256} height={SHADES} />
      <div>
        <span>{text(low)}</span>
        {low < 0 && high > 0 && <span style={{ left: `${(100 * low) / (low - high)}%` }}>0</span>}
        <span>{text(high)}</span>
      </div>
      {hasNaN && (
        <div>
          {[
            [NAN, "not a number"],
            [POSITIVE_INFINITY, "+∞"],
            [NEGATIVE_INFINITY, "−∞"],
          ].map(([color, name]) => (
            <span key={name}>
              <i style={{ background: color }} />
              {name}
            </span>
          ))}
        </div>
      )}
    </figure>
  );
}
