// Named rows over the training steps as a picture: layers, classes.
import { type Signal, useSignal } from "@preact/signals";
import { useCallback } from "preact/hooks";
import { put } from "../../shared/canvas";
import { paint } from "../../shared/color";
import { count } from "../../shared/format";
import { stepAxis, type Tick, tail } from "./axis";
import { cellAt, cellsOf } from "./cells";
import { COLUMNS, type Frame, Plot } from "./plot";
import { nearest } from "./sorted";
import { useMonitor } from "./state";
import { fraction, type Range } from "./statistics";
import { stepLines } from "./step_lines";

export interface HeatRow {
  name: string;
  steps: ArrayLike<number>;
  /** The value at one of these steps; undefined: not measured. */
  value: (index: number) => number | undefined;
}

interface Cursor {
  step: number;
  row: number;
}

interface RowHeatProps {
  label: string;
  /** Keep them while they stay the same. */
  rows: readonly HeatRow[];
  /** What is written beside them; by default their names. */
  ticks?: readonly Tick[];
  range: Range;
  from: number;
  to: number;
  /** What is to be marked. */
  dots?: readonly Cursor[];
  /** The name of the chosen row. */
  selected: string;
  text: (value: number | undefined) => string;
  onChoose: (step: number, row: number) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

/** Height of a row, and of all at most; how many letters of a name there is room for. */
const [ROW, MOST, LETTERS] = [18, 420, 16];
/** Between names, at least. */
export const LINE = 11;
const EDGES = 40;
const DOT = 3;
/** Lower rows would be hidden by a frame: an arrow points at their end instead (CSS pixels). */
const THIN = { row: 6, away: 3, mark: 9 };

/** Height of each of so many rows: whole pixels, so that all are the same. */
export const rowHeight = (rows: number): number =>
  Math.max(1, Math.min(ROW, Math.floor(MOST / rows)));

/** Of every row its name, or of so many that they can be read. */
function nameTicks(rows: readonly HeatRow[]): Tick[] {
  const apart = Math.ceil(LINE / rowHeight(rows.length));
  return rows.flatMap(({ name }, i) =>
    i % apart ? [] : [{ at: i + 0.5, text: tail(name, LETTERS) }],
  );
}

/** Paints rows × columns, the first row at the top; transparent where nothing was measured. */
export function paintRows(
  out: ImageData,
  rows: readonly HeatRow[],
  range: Range,
  from: number,
  to: number,
): void {
  const columns = out.width;
  const missing: number[] = [];
  const data = new Float32Array(columns * rows.length);
  const cells = new Map<HeatRow["steps"], Int32Array>();
  for (const [r, { steps, value }] of rows.entries()) {
    const found = cells.get(steps) ?? cellsOf(steps, from, to, columns);
    cells.set(steps, found);
    found.forEach((index, column) => {
      const at = r * columns + column;
      const one = index < 0 ? undefined : value(index);
      if (one === undefined) missing.push(at);
      else data[at] = fraction(one, range);
    });
  }
  const scale = { low: 0, high: 1, table: range.table };
  paint({ shape: [rows.length, columns], encoding: "float", data }, 0, scale, out);
  const pixels = new Uint32Array(out.data.buffer);
  for (const at of missing) pixels[at] = 0;
}

/** What is read at the pointer, else of the chosen row at the chosen step. */
function Reading(p: RowHeatProps & { cursor: Signal<Cursor | null> }) {
  const { step } = useMonitor();
  const at = p.cursor.value;
  const row = at ? p.rows[at.row] : p.rows.find(({ name }) => name === p.selected);
  if (!row) return <output />;
  const { steps, name, value } = row;
  const index = at ? cellAt(steps, at.step, (p.to - p.from) / COLUMNS) : nearest(steps, step.value);
  return (
    <output>
      step {count(steps[index] ?? Math.round(at?.step ?? step.value))}, {name}:{" "}
      {index < 0 ? "not recorded" : p.text(value(index))}
    </output>
  );
}

const frameOf = ({ left, right, up }: Frame, row: number): string =>
  `M${left} ${up(row)}H${right}V${up(row + 1)}H${left}z`;

const arrowAt = ({ right, up }: Frame, row: number): string =>
  `M${right + THIN.away} ${up(row + 0.5)}l${THIN.mark} ${-THIN.mark / 2}v${THIN.mark}z`;

export function RowHeat(p: RowHeatProps) {
  const { rows, range, from, to, selected } = p;
  const cursor = useSignal<Cursor | null>(null);
  const draw = useCallback(
    (canvas: HTMLCanvasElement, columns: number) =>
      put(canvas, columns, rows.length, (out) => paintRows(out, rows, range, from, to)),
    [rows, range, from, to],
  );
  const rowAt = (y: number) => Math.min(rows.length - 1, Math.floor(y));
  const { ticks = nameTicks(rows) } = p;
  const thin = rowHeight(rows.length) < THIN.row;
  const chosen = rows.findIndex(({ name }) => name === selected);
  return (
    <>
      <Plot
        label={p.label}
        x={stepAxis(from, to)}
        y={{ title: "", from: rows.length, to: 0, ticks }}
        left={Math.max(...ticks.map(({ text }) => text.length)) * 6.2 + 12}
        height={rowHeight(rows.length) * rows.length + EDGES}
        draw={draw}
        marks={stepLines}
        onPoint={(at) => (cursor.value = at && { step: at.x, row: rowAt(at.y) })}
        onChoose={(x, y) => p.onChoose(x, rowAt(y))}
        onKeyDown={p.onKeyDown}
      >
        {(frame) => (
          <>
            {chosen >= 0 && (
              <path
                class="cnnw-tm-chosen"
                d={thin ? arrowAt(frame, chosen) : frameOf(frame, chosen)}
              />
            )}
            {p.dots?.map(({ step, row }) => (
              <circle
                key={step}
                r={DOT}
                cx={Math.min(frame.right - DOT, Math.max(frame.left + DOT, frame.across(step)))}
                cy={frame.up(row + 0.5)}
              />
            ))}
          </>
        )}
      </Plot>
      <Reading {...p} cursor={cursor} />
    </>
  );
}
