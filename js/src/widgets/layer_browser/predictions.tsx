import { Bars } from "../../shared/bars";
import { percent } from "../../shared/format";
import { targetOf, useBrowser } from "./state";
import type { Slot } from "./types";

/** The most probable classes, the answer highlighted; beside gradients, choosing one makes it their target. */
export function PredictionBars({ slot }: { slot: Slot }) {
  const state = useBrowser();
  const { predictions, target, of } = state;
  const pressed = of.value === "gradients" ? targetOf(state) : undefined;
  const { rows, note } = predictions.value?.[slot] ?? {};
  return (
    <div data-slot={slot}>
      {rows && (
        <Bars
          caption={`Top ${rows.length} predictions`}
          max={1}
          rows={rows.map(({ index, name, probability }) => ({
            label: index === pressed ? `target: ${name}` : name,
            value: probability,
            text: percent(probability),
          }))}
          selected={0}
          pressed={pressed && rows.findIndex(({ index }) => index === pressed)}
          onSelect={
            pressed === undefined ? undefined : (row) => (target.value = rows[row]?.index ?? null)
          }
        />
      )}
      {note && <p>{note}</p>}
    </div>
  );
}
