// The whole widget: where its parts stand.
import { keep } from "../../shared/keys";
import { Histograms } from "./histograms";
import { LayersAt } from "./layers_at";
import { LayersOver } from "./layers_over";
import { Snapshots } from "./snapshots";

export function TrainingMonitor() {
  return (
    <section
      class="cnnw-root cnnw-tm"
      aria-label="Training monitor"
      data-lm-suppress-shortcuts="true"
      onKeyDown={keep}
    >
      <Histograms />
      <LayersAt />
      <LayersOver />
      <Snapshots />
    </section>
  );
}
