// What is explained: method, class, and what stands beside it; and computing it.
import { Button } from "../../shared/button";
import { Choice } from "../../shared/choice";
import { percent } from "../../shared/format";
import { Popup } from "../../shared/popup";
import { SearchList } from "../../shared/search_list";
import { costWords, NEEDS_KERNEL } from "./describe";
import { complaint } from "./held";
import { run, type State, useViewer } from "./state";

interface Item {
  index: number | null;
  name: string;
  note: string;
  group: string;
}

/** Classes, but `taken`, and without a kernel only those that there is a map of. */
function itemsOf(
  { classes, likely, offers }: State,
  none: string | undefined,
  taken: number | undefined,
): Item[] {
  const best = likely.value.map(({ index, name, probability }) => ({
    ...{ index, name, group: "Likeliest" },
    note: probability === null ? "" : percent(probability),
  }));
  const others = classes.value.flatMap((name, index) =>
    best.some((one) => one.index === index) ? [] : { index, name, note: "", group: "All others" },
  );
  const nothing = none === undefined ? [] : [{ index: null, name: none, note: "", group: "" }];
  const there = [...best, ...others].filter(
    ({ index }) => index !== taken && offers({ target: index, randomised: false }),
  );
  return [...nothing, ...there];
}

interface PickerProps {
  label: string;
  value: number | null;
  /** What choosing nothing is called, where that can be. */
  none?: string;
  /** The class that cannot be chosen. */
  taken?: number;
  onSelect: (index: number | null) => void;
}

function ClassPicker({ label, value, none, taken, onSelect }: PickerProps) {
  const state = useViewer();
  const items = itemsOf(state, none, taken);
  const name = value === null ? none : state.classes.value[value];
  return (
    <Popup label={`${label}: ${name}`}>
      {() => (
        <SearchList
          label={label === "Class" ? "classes" : "other classes"}
          items={items}
          filter={(item, query) => item.name.toLowerCase().includes(query)}
          selected={items.findIndex(({ index }) => index === value)}
          onSelect={(at) => onSelect((items[at] as Item).index)}
          group={(item) => item.group}
          renderItem={({ name: text, note }) => (
            <>
              {text} <small>{note}</small>
            </>
          )}
        />
      )}
    </Popup>
  );
}

function Compare() {
  const { methods, method, compare, offers } = useViewer();
  const others = methods.value.filter(({ key }) => key !== method.value);
  const chosen = compare.value.filter((key) => key !== method.value);
  return (
    <Popup label={`Compare with: ${chosen.length || "none"}`}>
      {() => (
        <fieldset aria-label="Compare with">
          {others.map(({ key, label, about }) => (
            <label key={key} title={about}>
              <input
                type="checkbox"
                checked={chosen.includes(key)}
                disabled={!chosen.includes(key) && !offers({ method: key })}
                onChange={({ currentTarget }) =>
                  (compare.value = methods.value
                    .map((one) => one.key)
                    .filter((one) => (one === key ? currentTarget.checked : chosen.includes(one))))
                }
              />
              {label}
            </label>
          ))}
        </fieldset>
      )}
    </Popup>
  );
}

export function Choices() {
  const state = useViewer();
  const { methods, method, target, against, randomised, single, offers } = state;
  return (
    <div class="cnnw-sv-row">
      <Choice
        label="Method"
        of={method}
        options={methods.value.map(({ key, label }) => [key, label] as const)}
        offers={(key) => offers({ method: key })}
        refusal={NEEDS_KERNEL}
      />
      {!single.value && (
        <>
          <ClassPicker
            label="Class"
            value={target.value}
            onSelect={(index) => (target.value = index ?? 0)}
          />
          <ClassPicker
            label="Why not"
            value={against.value}
            none="–"
            taken={target.value}
            onSelect={(index) => (against.value = index)}
          />
        </>
      )}
      <Compare />
      <Button
        aria-pressed={randomised.value}
        disabled={!randomised.value && !offers({ randomised: true })}
        title="A map that stays the same explains nothing that was learnt (Adebayo et al. 2018)"
        onClick={() => (randomised.value = !randomised.value)}
      >
        Random weights
      </Button>
    </div>
  );
}

export function Run() {
  const state = useViewer();
  const { bridge, running, progress, alone, missing, refused, failed } = state;
  const stop = () =>
    bridge
      .request("stop", {}, { signal: bridge.signal })
      .catch((error) => (failed.value = complaint(error)));
  const idle = alone.value || !(missing.value.length || refused.value.length);
  return (
    <div class="cnnw-sv-row cnnw-sv-run">
      {running.value && !alone.value ? (
        <Button onClick={stop}>Stop</Button>
      ) : (
        <Button
          class={idle ? "cnnw-button" : "cnnw-button cnnw-sv-go"}
          aria-disabled={idle}
          title={alone.value ? NEEDS_KERNEL : undefined}
          onClick={() => idle || run(state)}
        >
          Run
        </Button>
      )}
      {running.value && !alone.value ? (
        <>
          <progress value={progress.value} max={1} aria-label="Progress" />
          <output>{percent(Math.round(100 * progress.value) / 100)}</output>
        </>
      ) : (
        <output>{costWords(state)}</output>
      )}
    </div>
  );
}
