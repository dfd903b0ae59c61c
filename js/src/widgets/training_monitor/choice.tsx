// The drop-down list of the layers.
import { Choice } from "../../shared/choice";
import { useMonitor } from "./state";
import { layerOf } from "./walking";

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
