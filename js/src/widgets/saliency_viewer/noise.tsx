// SmoothGrad for several noise levels and numbers of samples, as in the paper.
import { useMemo } from "preact/hooks";
import { number, percent } from "../../shared/format";
import { unpack } from "../../shared/wire";
import { Canvas } from "./canvas";
import { drawAlone } from "./paint";
import { useViewer } from "./state";
import { Task } from "./task";
import type { NoiseMaps } from "./types";
import { isSigned, limitOf, rangeOf, reduced } from "./values";

export function NoiseSheet() {
  const { sheet, target, classes, single } = useViewer();
  const of = single.value ? "" : ` of ${classes.value[target.value]}`;
  return (
    <>
      <div class="cnnw-sv-row">
        <Task label={`Compute SmoothGrad${of}`} name="noise" args={{}} />
      </div>
      <p class="cnnw-note">
        Every map's own percentile is full colour: compare the shapes (Smilkov et al. 2017).
      </p>
      {sheet.value && <Sheet maps={sheet.value} />}
    </>
  );
}

function Sheet({ maps }: { maps: NoiseMaps }) {
  const { reduction, part, percentile, picture } = useViewer();
  const tensor = useMemo(() => unpack(maps.maps), [maps]);
  const [, channels = 1, , width = 1] = tensor.shape;
  const draw = (canvas: HTMLCanvasElement, place: number) => {
    const how = [reduction.value, part.value, false] as const;
    const values = reduced(tensor, ...how, place * channels, channels);
    const high = limitOf(values, percentile.value);
    drawAlone(canvas, values, width, rangeOf(isSigned(...how), high));
  };
  return (
    <>
      <table class="cnnw-sv-noise">
        <caption>
          SmoothGrad of {maps.target}: noise (share of the picture's range) by samples
          {maps.apart > 1 && `; 1 in ${maps.apart} rows and columns shown`}
        </caption>
        <thead>
          <tr>
            <th scope="col">noise</th>
            {maps.samples.map((count) => (
              <th key={count} scope="col">
                {number(count)} {count > 1 ? "samples" : "sample"}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {maps.noises.map((noise, row) => (
            <tr key={noise}>
              <th scope="row">{percent(noise)}</th>
              {maps.samples.map((count, column) => (
                <td key={count}>
                  <Canvas
                    label={`noise ${percent(noise)}, ${count} samples`}
                    draw={(canvas) => draw(canvas, row * maps.samples.length + column)}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {maps.key !== picture.value.key && (
        <p class="cnnw-note cnnw-sv-old">The weights have changed since; compute it again.</p>
      )}
    </>
  );
}
