import { Bars } from "../../shared/bars";
import { percent } from "../../shared/format";
import { useBrowser } from "./state";
import type { Slot } from "./types";

/** The most probable classes; choosing one makes it the target of the gradients. */
export function PredictionBars({ slot }: { slot: Slot }) {
  const { predictions, target } = useBrowser();
  const { rows, note } = predictions.value?.[slot] ?? {};
  return (
    <div data-slot={slot}>
      {rows && (
        <Bars
          caption={`Top ${rows.length} predictions`}
          max={1}
          rows={rows.map(({ name, probability }) => ({
            label: name,
            value: probability,
            text: percent(probability),
          }))}
          selected={rows.findIndex(({ index }) => index === target.value)}
          onSelect={(row) => (target.value = rows[row]?.index ?? null)}
        />
      )}
      {note && <p>{note}</p>}
    </div>
  );
}
