// A picture that the training loop logged, at the chosen step.
import { useLayoutEffect, useRef } from "preact/hooks";
import { drawPicture } from "../../shared/canvas";
import { count } from "../../shared/format";
import { Slider } from "../../shared/slider";
import type { Wanted } from "./held_maps";
import { Refusal } from "./refusal";
import { useMonitor } from "./state";

/** Small pictures are enlarged to about this width (CSS pixels). */
const WIDE = 256;

export function Logged({ wanted, at }: { wanted: Wanted; at: number }) {
  const { maps, looks } = useMonitor();
  const { enlarged } = looks;
  const canvas = useRef<HTMLCanvasElement>(null);
  const held = maps.get(wanted, at);
  const [high = 1, wide = 1] = held?.tensor.shape ?? [];
  useLayoutEffect(() => {
    if (held && canvas.current) drawPicture(canvas.current, held.tensor);
  }, [held]);
  const usual = wide * Math.max(1, Math.round(WIDE / wide));
  const size = held?.size.map(count).join(" × ");
  return (
    <figure class="cnnw-tm-logged" data-at={held && at}>
      <div>
        <canvas
          ref={canvas}
          hidden={!held}
          role="img"
          aria-label={`${wanted.layer}, step ${count(at)}`}
          style={{
            width: `${usual * enlarged.value}px`,
            maxWidth: `${100 * enlarged.value}%`,
          }}
        />
      </div>
      <figcaption>
        {held
          ? `${wanted.layer}: ${size} pixels${Math.max(wide, high) < Math.max(...held.size) ? ", shown smaller" : ""}`
          : `Fetching the picture of step ${count(at)}.`}
      </figcaption>
      <div class="cnnw-tm-tools">
        <Slider label="Size" unit="×" of={enlarged} min={1} max={8} />
      </div>
      {!held && <Refusal said={maps.refusal(wanted, at)} />}
    </figure>
  );
}
