import { Dialog } from "../../shared/dialog";
import { HELP } from "./keyboard";
import { FAMILIES } from "./kinds";
import { useBrowser } from "./state";

export function Help() {
  const { helping } = useBrowser();
  return (
    <Dialog title="Keys and marks" open={helping.value} onClose={() => (helping.value = false)}>
      <dl class="cnnw-lb-help">
        {HELP.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
        {FAMILIES.map(([name, what]) => (
          <div key={name}>
            <dt>
              <i class="cnnw-lb-mark" data-family={name} />
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
