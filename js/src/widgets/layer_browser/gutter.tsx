// The lines beside the strip: one small drawing per row, from what lanes.ts found.
import type { RowLanes } from "./lanes";

const LANE = 8;
const EDGE = 6;

export const gutterWidth = (lanes: number): number => lanes * LANE + 2 * EDGE;

/** Nodes stand at the right edge; lanes further out go left. */
export function Gutter({ row, lanes, height }: { row: RowLanes; lanes: number; height: number }) {
  const width = gutterWidth(lanes);
  const node = width - EDGE;
  const middle = height / 2;
  const x = (lane: number) => node - (lane + 1) * LANE;
  const d = [
    row.up && `M${node} 0V${row.node ? middle : height}`,
    row.down && row.node && `M${node} ${middle}V${height}`,
    ...row.through.map((lane) => `M${x(lane)} 0V${height}`),
    ...row.begins.map((lane) => `M${node} ${middle}Q${x(lane)} ${middle} ${x(lane)} ${height}`),
    ...row.ends.map((lane) => `M${x(lane)} 0Q${x(lane)} ${middle} ${node} ${middle}`),
  ];
  return (
    <svg width={width} height={height} aria-hidden="true">
      <path d={d.filter(Boolean).join("")} />
      {row.node && <circle cx={node} cy={middle} r={3} />}
    </svg>
  );
}
