// The values of a chart's lines: under the pointer, else at the chosen step, or the newest ones while it is followed.
import { Fragment } from "preact";
import { WHERE } from "./describe";
import { type Line, pointAt, valueText } from "./lines";
import { useMonitor } from "./state";

const swatch = (color: string, dash: readonly number[]) => (
  <svg class="cnnw-tm-stroke" viewBox="0 0 22 4" aria-hidden="true">
    <path d="M0 2h22" stroke={color} stroke-dasharray={dash.join(" ")} />
  </svg>
);

interface ReadingProps {
  title: string;
  unit: string;
  lines: readonly Line[];
}

export function Reading({ title, unit, lines }: ReadingProps) {
  const { hover, hands, step, follow, x } = useMonitor();
  const where = WHERE[x.value];
  // The curves go on between two steps of which the layers were recorded.
  const there = follow.value ? Number.POSITIVE_INFINITY : hands.value?.at(step.value);
  const wanted = hover.value ?? there ?? 0;
  const fullest = lines.reduce((best, line) => (line.raw.length > best.raw.length ? line : best));
  const until = hover.value === null;
  const at = where(pointAt(fullest, wanted, until)?.x ?? wanted);
  return (
    <figcaption class="cnnw-tm-reading">
      <b>{title}</b>
      <output>at {at}</output>
      <ul>
        {lines.map((line) => {
          const point = pointAt(line, wanted, until);
          return (
            <li
              key={`${line.run.id} ${line.curve.name}`}
              data-run={line.run.id}
              data-curve={line.curve.name}
            >
              {swatch(line.color, line.dash)}
              <span>{line.label}</span>{" "}
              {point && (
                <Fragment>
                  <output>{valueText(point.value, unit)}</output>
                  <small>
                    {point.smoothed !== undefined && ` smoothed ${valueText(point.smoothed, "")}`}
                    {where(point.x) !== at && ` at ${where(point.x)}`}
                  </small>
                </Fragment>
              )}
            </li>
          );
        })}
      </ul>
    </figcaption>
  );
}
