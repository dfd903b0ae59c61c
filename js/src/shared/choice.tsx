// A labelled drop-down list.
import type { Signal } from "@preact/signals";

interface ListProps<K> {
  label: string;
  options: readonly (readonly [K, string])[];
  /** Why nothing can be chosen, if so. */
  disabled?: string | false | undefined;
  /** Can it be chosen? All can by default. */
  offers?: ((key: K) => boolean) | undefined;
  /** Why the others cannot. */
  refusal?: string | undefined;
}

/** The signal that is read and written, or the value shown and who is told of another. */
type Chosen<K> =
  | { of: Signal<K>; value?: K }
  | { of?: undefined; value: K; onChange: (key: K) => void };

/** The tooltip has the chosen words whole, where the list is too narrow for them. */
export function Choice<K extends string | number>(p: ListProps<K> & Chosen<K>) {
  const { label, options, disabled, offers, refusal } = p;
  const value = p.value ?? p.of?.value;
  return (
    <label class="cnnw-choice">
      <span>{label}</span>
      <select
        value={value}
        disabled={!!disabled}
        title={disabled || options.find(([key]) => key === value)?.[1]}
        onChange={({ currentTarget: { selectedIndex } }) => {
          const [key] = options[selectedIndex] as [K, string];
          if (p.of) p.of.value = key;
          else p.onChange(key);
        }}
      >
        {options.map(([key, text]) => {
          const refused = offers?.(key) === false;
          return (
            <option
              key={key}
              value={key}
              selected={key === value}
              disabled={refused}
              title={refused ? refusal : undefined}
            >
              {text}
            </option>
          );
        })}
      </select>
    </label>
  );
}
