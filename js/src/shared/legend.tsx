import { useLayoutEffect, useRef } from "preact/hooks";
import { colors, type Scale } from "./color";
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
  /** Its colours, in rows of 256; the table's by default. */
  bar?: Uint32Array | undefined;
}

/** The colour bar of a scale, with its range (and zero where the range spans it). */
export function Legend({
  scale: { low, high, table },
  caption,
  unit = "",
  hasNaN,
  bar = colors(table),
}: LegendProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const rows = bar.length / 256;
  useLayoutEffect(() => {
    const image = new ImageData(256, rows);
    new Uint32Array(image.data.buffer).set(bar);
    canvas.current?.getContext("2d")?.putImageData(image, 0, 0);
  }, [bar]);
  const text = (x: number) => number(x) + (unit && ` ${unit}`);
  return (
    <figure
      class="cnnw-legend"
      role="img"
      aria-label={`${caption}: colours from ${text(low)} to ${text(high)}`}
    >
      <figcaption>{caption}</figcaption>
      <canvas ref={canvas} width={256} height={rows} />
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
