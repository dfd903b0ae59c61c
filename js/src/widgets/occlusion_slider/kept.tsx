// Patches that were kept, to be compared.
import { number } from "../../shared/format";
import { IconButton } from "../../shared/icon";
import { at, chanceWords, points, signed } from "./describe";
import { keep, put, useSlider } from "./state";

export function KeptPatches() {
  const state = useSlider();
  const { kept, target, single, window } = state;
  return (
    <div class="cnnw-os-kept">
      <button
        type="button"
        class="cnnw-button"
        title="Click the patch, or press Enter on the picture"
        onClick={() => keep(state)}
      >
        Keep patch
      </button>
      <ul aria-label="Kept patches">
        {kept.value.map((one, i) => {
          const row = one.rows.find(({ index }) => index === target.value) ?? one.rows[0];
          const says =
            row &&
            (single.value
              ? `${number(row.logit ?? Number.NaN)} (${signed(row.logit_change)})`
              : `${chanceWords(row.probability)} (${points(row.change)})`);
          return (
            <li key={i}>
              <button
                type="button"
                title="Put the patch there again"
                onClick={() => {
                  window.value = one.window;
                  put(state, one, one.window);
                }}
              >
                <b>{i + 1}</b> {at(one)}: {row?.name} {says}
              </button>
              <IconButton
                icon="close"
                label={`Remove patch ${i + 1}`}
                onClick={() => (kept.value = kept.value.filter((other) => other !== one))}
              />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
