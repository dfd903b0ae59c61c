// A labelled drop-down list.

interface ChoiceProps<K extends string | number> {
  label: string;
  value: K;
  options: readonly (readonly [K, string])[];
  disabled?: boolean | undefined;
  /** Can it be chosen? All can by default. */
  offers?: (key: K) => boolean;
  onChange: (key: K) => void;
}

export const Choice = <K extends string | number>(p: ChoiceProps<K>) => (
  <label class="cnnw-sv-choice">
    <span>{p.label}</span>
    <select
      aria-label={p.label}
      value={p.value}
      disabled={p.disabled}
      onChange={({ currentTarget }) => {
        const option = p.options[currentTarget.selectedIndex];
        if (option) p.onChange(option[0]);
      }}
    >
      {p.options.map(([key, text]) => (
        <option key={key} value={key} disabled={p.offers && !p.offers(key)}>
          {text}
        </option>
      ))}
    </select>
  </label>
);
