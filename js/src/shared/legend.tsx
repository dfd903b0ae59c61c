import { useLayoutEffect, useRef } from "preact/hooks";
import { colors, cssColor, type Scale } from "./color";
import { number } from "./format";
import "./legend.css";

export interface LegendProps {
  scale: Scale;
  /** What is coloured, and over what the range was taken: "activation, this layer". */
  caption: string;
  unit?: string | undefined;
  /** NaN, ∞ and −∞, as far as there are such: their colours are explained, too. */
  odd?: readonly number[] | undefined;
  /** Its colours, in rows of 256; the table's by default. */
  bar?: Uint32Array | undefined;
}

/** The colour bar of a scale, with its range (and zero where the range spans it). */
export function Legend({
  scale,
  caption,
  unit = "",
  odd = [],
  bar = colors(scale.table),
}: LegendProps) {
  const { low, high } = scale;
  const canvas = useRef<HTMLCanvasElement>(null);
  const rows = bar.length / 256;
  useLayoutEffect(() => {
    const image = new ImageData(256, rows);
    new Uint32Array(image.data.buffer).set(bar);
    canvas.current?.getContext("2d")?.putImageData(image, 0, 0);
  }, [bar]);
  const text = (x: number) => number(x) + (unit && ` ${unit}`);
  const ends = odd.length && low === high ? ["not measured"] : [text(low), text(high)];
  return (
    <figure
      class="cnnw-legend"
      role="img"
      aria-label={`${caption}: ${ends[1] ? `colours from ${ends.join(" to ")}` : ends[0]}`}
    >
      <figcaption>{caption}</figcaption>
      <canvas ref={canvas} width={256} height={rows} />
      <div>
        <span>{ends[0]}</span>
        {low < 0 && high > 0 && <span style={{ left: `${(100 * low) / (low - high)}%` }}>0</span>}
        <span>{ends[1]}</span>
      </div>
      <div>
        {odd.map((x) => (
          <span key={x}>
            <i style={{ background: cssColor(x, scale) }} />
            {Number.isNaN(x) ? "not a number" : number(x)}
          </span>
        ))}
      </div>
    </figure>
  );
}
