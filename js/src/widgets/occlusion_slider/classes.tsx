// What the network says with the patch where it is, against the bare picture.
import { PlainButton } from "../../shared/button";
import { number } from "../../shared/format";
import { andKept, at, changeWords, measureWords, signed, valueWords } from "./describe";
import { useSlider } from "./state";
import type { ClassRow } from "./types";

const share = (x: number) => `${(100 * Math.min(1, Math.max(0, x))).toFixed(2)}%`;

/** Full bar of a network that gives one number, which may be of any size. */
const reach = ({ logit, logit_change }: ClassRow) =>
  Math.max(Math.abs(logit ?? 0), Math.abs((logit ?? 0) - (logit_change ?? 0))) || 1;

const SIGNS: Record<string, string> = { "+": "cnnw-up", "−": "cnnw-down" };

/** A change, in the colour of its sign. */
const Change = ({ text }: { text: string }) => (
  <output class={SIGNS[text.charAt(0)] ?? ""}>{text}</output>
);

/** What the numbers are of, and against what the change is. */
function Caption() {
  const { probe, measure, measures, single } = useSlider();
  const { question } = probe.answer.value;
  const what = single.value ? "score" : measureWords(measure.value, measures.value);
  const bars = single.value || measure.value === "probability" ? "" : "; bars: probability";
  return (
    <figcaption>
      {what.charAt(0).toUpperCase() + what.slice(1)} with the patch at {at(question)}
      {andKept(question.kept.length)}; change from the untouched picture (the mark){bars}
    </figcaption>
  );
}

export function Classes() {
  const { probe, target, single, measure, note } = useSlider();
  const shown = single.value ? "logit" : measure.value;
  return (
    <figure class="cnnw-os-classes">
      <Caption />
      <ul aria-label="Classes">
        {probe.answer.value.rows.map((row) => {
          const { index, name, probability, change, logit, logit_change } = row;
          const [now, by] = single.value
            ? [Math.abs(logit ?? 0) / reach(row), (logit_change ?? 0) / reach(row)]
            : [probability ?? 0, change ?? 0];
          return (
            <li
              key={index}
              data-class={index}
              data-probability={probability}
              data-change={change}
              class={index === target.value ? "cnnw-selected" : ""}
            >
              <PlainButton
                aria-pressed={index === target.value}
                title={`${name}: logit ${number(logit ?? Number.NaN)} (${signed(logit_change)})`}
                onClick={() => (target.value = index)}
              >
                {name}
              </PlainButton>
              <div>
                <i style={{ width: share(now) }} />
                <u style={{ left: share(now - by) }} />
              </div>
              <output>{valueWords(row, shown)}</output>
              <Change text={changeWords(row, shown)} />
            </li>
          );
        })}
      </ul>
      {note.value && <p class="cnnw-note">{note.value}</p>}
    </figure>
  );
}
