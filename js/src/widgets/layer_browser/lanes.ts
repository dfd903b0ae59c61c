// Which layer reads which, drawn beside the strip like the graph of a version history:
// a straight line to the next row, a lane for everything that skips rows.
import type { Row } from "./groups";
import type { Layer } from "./types";

/** Lanes beyond this many share the outermost one. */
export const MAX_LANES = 5;

export interface RowLanes {
  /** Is this row a layer (or a closed block, or the input), or only something the lines pass? */
  node: boolean;
  up: boolean;
  down: boolean;
  /** Lanes that pass, begin and end here. */
  through: number[];
  begins: number[];
  ends: number[];
}

interface Span {
  from: number;
  to: number;
  targets: Set<number>;
  lane: number;
}

function layersOf(row: Row): [number, number] | null {
  if (row.type === "input") return [-1, 0];
  if (row.type === "layer") return [row.index, row.index + 1];
  return row.open ? null : [row.group.first, row.group.last];
}

/** Edges between rows, from → targets, without those inside one row. */
function edges(rows: readonly Row[], layers: readonly Layer[]): Map<number, Set<number>> {
  const rowOf = new Map<string, number>([["input", 0]]);
  const found = new Map<number, Set<number>>();
  rows.forEach((row, at) => {
    const [first, last] = layersOf(row) ?? [0, 0];
    for (let index = Math.max(0, first); index < last; index++) {
      const layer = layers[index] as Layer;
      for (const name of layer.inputs) {
        const from = rowOf.get(name);
        if (from === undefined || from === at) continue;
        found.set(from, (found.get(from) ?? new Set()).add(at));
      }
      rowOf.set(layer.name, at);
    }
  });
  return found;
}

function allocate(spans: Span[]): void {
  const ends: number[] = [];
  for (const span of spans.sort((a, b) => a.from - b.from || a.to - b.to)) {
    let lane = ends.findIndex((end) => end <= span.from);
    if (lane < 0) lane = Math.min(ends.length, MAX_LANES - 1);
    ends[lane] = Math.max(ends[lane] ?? 0, span.to);
    span.lane = lane;
  }
}

const include = (lanes: number[], lane: number) => lanes.includes(lane) || lanes.push(lane);

/** What the gutter draws in each row. */
export function lanes(rows: readonly Row[], layers: readonly Layer[]): RowLanes[] {
  const drawn: RowLanes[] = rows.map((row) => ({
    node: layersOf(row) !== null,
    up: false,
    down: false,
    through: [],
    begins: [],
    ends: [],
  }));
  const spans: Span[] = [];
  for (const [from, targets] of edges(rows, layers)) {
    const skipped = new Set<number>();
    for (const to of targets) if (!straight(drawn, from, to)) skipped.add(to);
    if (skipped.size) spans.push({ from, to: Math.max(...skipped), targets: skipped, lane: 0 });
  }
  allocate(spans);
  for (const { from, to, targets, lane } of spans) {
    include((drawn[from] as RowLanes).begins, lane);
    for (let at = from + 1; at <= to; at++) {
      const row = drawn[at] as RowLanes;
      if (targets.has(at)) include(row.ends, lane);
      if (at < to) include(row.through, lane);
    }
  }
  return drawn;
}

/** Draws the line to the very next node, past headers; false when another node lies between. */
function straight(drawn: RowLanes[], from: number, to: number): boolean {
  if (drawn.slice(from + 1, to).some((row) => row.node)) return false;
  for (let at = from; at <= to; at++) {
    const row = drawn[at] as RowLanes;
    if (at > from) row.up = true;
    if (at < to) row.down = true;
  }
  return true;
}

export const laneCount = (drawn: readonly RowLanes[]): number =>
  1 + Math.max(-1, ...drawn.flatMap((row) => [...row.begins, ...row.ends]));
