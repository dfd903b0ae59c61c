import { count } from "../../shared/format";
import { useMonitor } from "./state";

/** Whether the pinned step is taken away; `pin` is the snapshot that is. */
export function DifferenceChoice({ pin }: { pin: number | undefined }) {
  const { differing } = useMonitor().looks;
  return (
    <label title={pin === undefined ? "Pin a step to compare with first." : undefined}>
      <input
        type="checkbox"
        checked={differing.value && pin !== undefined}
        disabled={pin === undefined}
        onChange={({ currentTarget }) => (differing.value = currentTarget.checked)}
      />
      difference from the pinned step{pin !== undefined && `, ${count(pin)}`}
    </label>
  );
}
