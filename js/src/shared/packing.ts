// For tests: tensors as the kernel sends them.
import { LEVELS } from "./look";

/** What `cnnwidgets.widgets.wire.pack` writes: a picture (bytes), quantised or float32. */
export function pack(values: ArrayLike<number>, shape: number[], encoding: 0 | 1 | 3): DataView {
  const edge = shape.slice(-2).reduce((a, b) => a * b, 1);
  const maps = encoding === 1 ? values.length / edge : 0;
  const start = 8 + 4 * shape.length + 8 * maps;
  const view = new DataView(new ArrayBuffer(start + values.length * (encoding === 3 ? 4 : 1)));
  view.setUint32(0, 0x574e4e43, true);
  view.setUint8(4, encoding);
  view.setUint8(5, shape.length);
  shape.forEach((n, i) => {
    view.setUint32(8 + 4 * i, n, true);
  });
  for (let i = 0; encoding !== 1 && i < values.length; i++)
    if (encoding === 3) view.setFloat32(start + 4 * i, values[i] as number, true);
    else view.setUint8(start + i, values[i] as number);
  for (let map = 0; map < maps; map++) {
    const part = Array.from({ length: edge }, (_, i) => values[map * edge + i] as number);
    const finite = part.filter(Number.isFinite);
    const low = finite.length ? Math.min(...finite) : 0;
    const high = finite.length ? Math.max(...finite) : 0;
    view.setFloat32(start - 8 * (maps - map), low, true);
    view.setFloat32(start - 8 * (maps - map) + 4, high, true);
    part.forEach((x, i) => {
      const code = Number.isNaN(x)
        ? 255
        : x === Infinity
          ? 254
          : x === -Infinity
            ? 253
            : high > low
              ? Math.round((LEVELS * (x - low)) / (high - low))
              : 0;
      view.setUint8(start + map * edge + i, code);
    });
  }
  return view;
}
