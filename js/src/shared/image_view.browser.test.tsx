import { signal } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { drawMap, drawPicture, drawTile } from "./canvas";
import { colors } from "./color";
import { ImageView, type ImageViewProps, type Overlay } from "./image_view";
import type { Tensor } from "./wire";
import "./theme.css";

const WIDTH = 20;
const HEIGHT = 10;
let host: HTMLElement;
const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
};
const stage = () => host.querySelector<HTMLElement>("[role=application]") as HTMLElement;
const canvas = () => stage().querySelector("canvas") as HTMLCanvasElement;
const overlay = (kind: string) => stage().querySelector<HTMLElement>(`.cnnw-${kind}`);
const send = (event: Event) => act(() => void stage().dispatchEvent(event));

/** A pointer event in the middle of a pixel of the picture, wherever that is on screen. */
function pointer(type: string, row: number, column: number, init: PointerEventInit = {}) {
  const { left, top, width, height } = canvas().getBoundingClientRect();
  const clientX = left + ((column + 0.5) / WIDTH) * width;
  const clientY = top + ((row + 0.5) / HEIGHT) * height;
  return send(
    new PointerEvent(type, {
      clientX,
      clientY,
      bubbles: true,
      pointerId: 1,
      pointerType: "mouse",
      ...init,
    }),
  );
}
const key = (name: string, init: KeyboardEventInit = {}) =>
  send(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...init }));
const zoomOf = () =>
  Number.parseInt(host.querySelector("[aria-label='Whole picture']")?.textContent ?? "", 10);

async function show(changes: Partial<ImageViewProps> = {}) {
  const props: ImageViewProps = {
    label: "The input",
    width: WIDTH,
    height: HEIGHT,
    draw: (element) =>
      drawPicture(element, {
        shape: [HEIGHT, WIDTH],
        encoding: "picture",
        data: new Uint8Array(200),
      }),
    zoomable: true,
    onHover: vi.fn(),
    onClick: vi.fn(),
    ...changes,
  };
  await act(() => render(<ImageView {...props} />, host));
  await settle();
  return props;
}

beforeEach(() => {
  // A captured pointer must exist; those of these tests do not.
  vi.spyOn(Element.prototype, "setPointerCapture").mockImplementation(() => {});
  host = document.createElement("div");
  host.className = "cnnw-root";
  host.style.cssText = "width:400px";
  document.body.append(host);
});
afterEach(() => {
  render(null, host);
  host.remove();
  vi.restoreAllMocks();
});

it("reads the pixel under the pointer, at every corner", async () => {
  const { onHover } = await show();
  for (const at of [
    [0, 0],
    [HEIGHT - 1, WIDTH - 1],
    [3, 17],
  ] as const) {
    await pointer("pointermove", at[0], at[1]);
    expect(onHover).toHaveBeenLastCalledWith([...at]);
  }
  const calls = vi.mocked(onHover as NonNullable<typeof onHover>).mock.calls.length;
  await pointer("pointermove", 3.2, 17.2);
  expect(onHover).toHaveBeenCalledTimes(calls);
  await pointer("pointerleave", 3, 17);
  expect(onHover).toHaveBeenLastCalledWith(null);
  expect(overlay("cursor")).toBeNull();
});

it("tells a click from a drag", async () => {
  const { onClick } = await show();
  await pointer("pointerdown", 2, 5);
  await pointer("pointerup", 2, 5);
  expect(onClick).toHaveBeenCalledExactlyOnceWith([2, 5]);
  await pointer("pointerdown", 2, 5);
  await pointer("pointermove", 5, 9);
  await pointer("pointerup", 5, 9);
  expect(onClick).toHaveBeenCalledOnce();
});

it("is read with the keyboard", async () => {
  const { onHover, onClick } = await show();
  await key("ArrowRight");
  expect(onHover).toHaveBeenLastCalledWith([5, 10]);
  await key("ArrowUp");
  await key("ArrowRight", { shiftKey: true });
  expect(onHover).toHaveBeenLastCalledWith([4, 19]);
  await key("Enter");
  expect(onClick).toHaveBeenLastCalledWith([4, 19]);
  expect(overlay("cursor")).not.toBeNull();
  const event = new KeyboardEvent("keydown", { key: "PageDown", bubbles: true, cancelable: true });
  await send(event);
  expect(event.defaultPrevented).toBe(false);
});

it("zooms by keys and buttons, and back", async () => {
  await show();
  await key("+");
  expect(zoomOf()).toBe(125);
  await act(() => host.querySelector<HTMLElement>("[aria-label='Zoom in (+)']")?.click());
  expect(zoomOf()).toBe(156);
  await key("-");
  expect(zoomOf()).toBe(125);
  await key("0");
  expect(zoomOf()).toBe(100);
  expect(canvas().getBoundingClientRect()).toEqual(stage().getBoundingClientRect());
});

it("leaves the wheel to the page until it has the focus, then keeps the pixel under the pointer", async () => {
  const { onHover } = await show();
  const { left, top } = stage().getBoundingClientRect();
  const at = { clientX: left + 90, clientY: top + 50, bubbles: true, cancelable: true };
  const wheel = () => new WheelEvent("wheel", { ...at, deltaY: -240 });
  const past = wheel();
  await send(past);
  expect([past.defaultPrevented, zoomOf()]).toEqual([false, 100]);
  stage().focus();
  const ours = wheel();
  await send(ours);
  expect([ours.defaultPrevented, zoomOf()]).toEqual([true, 200]);
  await send(new PointerEvent("pointermove", { ...at, pointerId: 1 }));
  expect(onHover).toHaveBeenLastCalledWith([2, 4]);
});

it("pans a zoomed picture by dragging, not past its edge", async () => {
  await show();
  for (let i = 0; i < 5; i++) await key("+");
  const left = () => canvas().getBoundingClientRect().left - stage().getBoundingClientRect().left;
  const before = left();
  await pointer("pointerdown", 5, 10);
  await pointer("pointermove", 5, 11);
  expect(left()).toBeGreaterThan(before);
  await pointer("pointermove", 5, 90);
  expect(left()).toBeCloseTo(0, 0);
});

it("zooms to two fingers, and does not take that for a click", async () => {
  const { onClick } = await show();
  const touch = { pointerType: "touch" };
  await pointer("pointerdown", 5, 8, { ...touch, pointerId: 1 });
  await pointer("pointerdown", 5, 12, { ...touch, pointerId: 2 });
  await pointer("pointermove", 5, 16, { ...touch, pointerId: 2 });
  expect(zoomOf()).toBe(200);
  await pointer("pointerup", 5, 16, { ...touch, pointerId: 2 });
  await pointer("pointerup", 5, 8, { ...touch, pointerId: 1 });
  expect(onClick).not.toHaveBeenCalled();
});

it("lays rectangles exactly over their pixels, at any zoom, with text that is text", async () => {
  const overlays: Overlay[] = [{ top: 2, left: 4, bottom: 6, right: 12, label: "<b>sees</b>" }];
  await show({ overlays });
  for (let i = 0; i < 3; i++) {
    const picture = canvas().getBoundingClientRect();
    const box = overlay("field")?.getBoundingClientRect() as DOMRect;
    expect(box.left - picture.left).toBeCloseTo((4 / WIDTH) * picture.width, 0);
    expect(box.bottom - picture.top).toBeCloseTo((6 / HEIGHT) * picture.height, 0);
    expect(box.width).toBeCloseTo((8 / WIDTH) * picture.width, 0);
    await key("+");
  }
  expect(overlay("field")?.textContent).toBe("<b>sees</b>");
});

it("draws again what a signal changes", async () => {
  const shade = signal(10);
  const draw = (element: HTMLCanvasElement) =>
    drawPicture(element, {
      shape: [HEIGHT, WIDTH],
      encoding: "picture",
      data: new Uint8Array(200).fill(shade.value),
    });
  await show({ draw });
  shade.value = 99;
  expect(canvas().getContext("2d")?.getImageData(19, 9, 1, 1).data[0]).toBe(99);
});

it("draws maps in the colours of their scale, and averages those too large for their tile", () => {
  const lut = colors("activations");
  const scale = { low: -1, high: 1, table: "activations" } as const;
  const t: Tensor = {
    shape: [2, 2, 2],
    encoding: "float",
    data: Float32Array.of(0, 0, 0, 0, -1, 0, 1, 1),
  };
  const element = document.createElement("canvas");
  const words = () => {
    const { data } = (element.getContext("2d") as CanvasRenderingContext2D).getImageData(
      0,
      0,
      element.width,
      element.height,
    );
    return [...new Uint32Array(data.buffer)];
  };
  drawMap(element, t, 1, scale);
  expect(words()).toEqual([lut[0], lut[128], lut[255], lut[255]]);
  drawTile(element, t, 1, scale, 64);
  expect(element.width).toBe(2);
  const size = 256;
  const stripes = Float32Array.from({ length: size * size }, (_, i) => (i % 2 ? 1 : -1));
  drawTile(
    element,
    { shape: [1, size, size], encoding: "float", data: stripes },
    0,
    scale,
    64 / devicePixelRatio,
  );
  expect([element.width, element.height]).toEqual([64, 64]);
  // Dropped columns would leave one of the two ends only.
  const [low, high] = [lut[0], lut[255]].map((word) => (word as number) & 255) as [number, number];
  expect(Math.abs(((words()[700] as number) & 255) - (low + high) / 2)).toBeLessThan(25);
});
