// A labelled drop-down list, and the one of the layers.
import { useMonitor } from "./state";
import { layerOf } from "./walking";

interface ChoiceProps<K extends string | number> {
  label: string;
  value: K;
  options: readonly (readonly [K, string])[];
  /** Can it be chosen? All can by default. */
  offers?: (key: K) => boolean;
  onChange: (key: K) => void;
}

export const Choice = <K extends string | number>(p: ChoiceProps<K>) => (
  <label>
    <span>{p.label}</span>
    <select
      value={p.value}
      onChange={({ currentTarget }) => {
        const option = p.options[currentTarget.selectedIndex];
        if (option) p.onChange(option[0]);
      }}
    >
      {p.options.map(([key, text]) => (
        <option
          key={key}
          value={key}
          selected={key === p.value}
          disabled={p.offers && !p.offers(key)}
        >
          {text}
        </option>
      ))}
    </select>
  </label>
);

export function LayerChoice() {
  const state = useMonitor();
  return (
    <Choice
      label="Layer"
      value={layerOf(state)}
      options={(state.run.value?.layers ?? []).map((name) => [name, name] as const)}
      onChange={(name) => (state.layer.value = name)}
    />
  );
}
