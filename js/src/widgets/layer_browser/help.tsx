import { Dialog } from "../../shared/dialog";
import { MARKS } from "../../shared/look";
import { HELP } from "./keyboard";
import { FAMILIES } from "./kinds";
import { Mark } from "./mark";
import { useBrowser } from "./state";

export function Help() {
  const { helping } = useBrowser();
  return (
    <Dialog title="Keys and marks" open={helping.value} onClose={() => (helping.value = false)}>
      <dl>
        {HELP.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
        {FAMILIES.map(([what], i) => (
          <div key={what}>
            <dt>
              <Mark color={MARKS[i]} />
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
