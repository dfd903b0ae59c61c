// The axis of steps that all figures have in common: that of the runs.
import { stepsOf } from "./axis";
import { type State, useMonitor } from "./state";

/** First and last step of the runs that are shown, and of the chosen one. */
export function useRunSteps(): [number, number] {
  const { shown, run, store }: State = useMonitor();
  const runs = new Set([...shown.value, ...(run.value ? [run.value] : [])]);
  return stepsOf(
    [...runs].flatMap(({ id, snapshots }) => {
      const held = store.of(id);
      return held ? [...held.curves, held, snapshots] : [snapshots];
    }),
  );
}
