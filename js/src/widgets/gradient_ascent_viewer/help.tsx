import { Dialog } from "../../shared/dialog";
import { HELP } from "./keyboard";
import { useAscent } from "./state";

export function Help() {
  const { helping } = useAscent();
  return (
    <Dialog title="Keys" open={helping.value} onClose={() => (helping.value = false)}>
      <dl>
        {HELP.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
