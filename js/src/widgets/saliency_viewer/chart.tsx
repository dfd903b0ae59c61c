// A score against the share of pixels that were changed, one line per map.
import { number } from "../../shared/format";

export interface Line {
  name: string;
  scores: readonly (number | null)[];
  area: number | null;
}

const [WIDTH, HEIGHT] = [320, 190];
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 14, 8, 36];
const SHARES = [0, 0.25, 0.5, 0.75, 1];

/** Lowest and highest value of the axis; probabilities always have 0 and 1. */
function span(lines: readonly Line[], probability: boolean): [number, number] {
  if (probability) return [0, 1];
  const all = lines.flatMap(({ scores }) => scores).filter((x): x is number => x !== null);
  return [Math.min(...all, 0), Math.max(...all, 0)];
}

interface ChartProps {
  title: string;
  x: string;
  y: string;
  fractions: readonly number[];
  lines: readonly Line[];
  probability: boolean;
}

const areaOf = (area: number | null) => (area === null ? "not finite" : number(area, 3));

export function Chart({ title, x, y, fractions, lines, probability }: ChartProps) {
  const [low, high] = span(lines, probability);
  const across = (share: number) => LEFT + share * (WIDTH - LEFT - RIGHT);
  const up = (score: number) =>
    HEIGHT - BOTTOM - ((score - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
  const path = (scores: readonly (number | null)[]) =>
    scores
      .flatMap((score, i) =>
        score === null ? [] : `${across(fractions[i] ?? 0).toFixed(1)},${up(score).toFixed(1)}`,
      )
      .join(" ");
  const told = lines.map(({ name, area }) => `${name}: area ${areaOf(area)}`).join("; ");
  return (
    <figure class="cnnw-sv-chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}. ${told}`}>
        {SHARES.map((share) => low + share * (high - low)).map((tick) => (
          <g key={tick}>
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={up(tick)} y2={up(tick)} />
            <text x={LEFT - 4} y={up(tick) + 3} text-anchor="end">
              {number(tick, 3)}
            </text>
          </g>
        ))}
        {SHARES.map((share) => (
          <text key={share} x={across(share)} y={HEIGHT - BOTTOM + 13} text-anchor="middle">
            {100 * share}
          </text>
        ))}
        <text x={across(0.5)} y={HEIGHT - 5} text-anchor="middle">
          {x}
        </text>
        <text
          transform={`translate(10 ${up((low + high) / 2)}) rotate(-90)`}
          text-anchor="middle"
          class="cnnw-sv-y"
        >
          {y}
        </text>
        {lines.map(({ name, scores }, i) => (
          <polyline key={name} data-line={i} points={path(scores)} />
        ))}
      </svg>
      <ul>
        {lines.map(({ name, area }, i) => (
          <li key={name} data-line={i} data-area={area}>
            <i />
            {name}: area {areaOf(area)}
          </li>
        ))}
      </ul>
    </figure>
  );
}
