import { count } from "../../shared/format";
import { cellAt } from "./cells";
import { useMonitor } from "./state";

interface RecordedProps {
  steps: ArrayLike<number>;
  /** What is shown of them. */
  row: number;
  /** The step that was asked for; the chosen one by default. */
  asked?: number | undefined;
  /** What it is called: "pinned step". */
  name?: string | undefined;
}

/** Which recorded step is really shown; in the colour of a warning where it says little of the one asked for. */
export function Recorded({ steps, row, asked, name = "step" }: RecordedProps) {
  const { step } = useMonitor();
  const at = steps[row];
  const wanted = asked ?? step.value;
  if (at === undefined) return <>{name}: not recorded</>;
  return (
    <>
      {name} {count(at)}
      {at !== wanted && (
        <small class={cellAt(steps, wanted) < 0 ? "cnnw-tm-far" : ""}>
          {" "}
          nearest to {count(wanted)}
        </small>
      )}
    </>
  );
}
