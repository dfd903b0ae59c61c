import { signal } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { TileGrid, type TileGridProps } from "./tile_grid";
import "./theme.css";

let host: HTMLElement;
const frame = () => new Promise(requestAnimationFrame);
/** Until the observers have spoken and what they caused is drawn. */
const settle = async () => {
  for (let i = 0; i < 3; i++) await frame();
};
const grid = () => host.firstElementChild as HTMLElement;
const tiles = () => [...host.querySelectorAll<HTMLElement>("[data-at]")];
const tileAt = (position: number) => host.querySelector<HTMLElement>(`[data-at="${position}"]`);
const press = (key: string) =>
  act(() => {
    document.activeElement?.dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
    );
  });

/** Draws the item's number as the red and green of a single pixel. */
const draw = (item: number, canvas: HTMLCanvasElement) => {
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = `rgb(${item & 255} ${item >> 8} 0)`;
  context.fillRect(0, 0, 1, 1);
  return true;
};
const drawn = (tile: HTMLElement | null) => {
  const data = tile?.querySelector("canvas")?.getContext("2d")?.getImageData(0, 0, 1, 1).data;
  return data ? (data[0] as number) + 256 * (data[1] as number) : -1;
};

async function show(changes: Partial<TileGridProps> = {}) {
  const props = {
    caption: "2,048 channels of layer4",
    count: 2048,
    tile: 64,
    selected: null,
    label: String,
    draw,
    loaded: signal(0),
    onVisible: vi.fn(),
    onSelect: vi.fn(),
    onOpen: vi.fn(),
    ...changes,
  } satisfies TileGridProps;
  await act(() => render(<TileGrid {...props} />, host));
  await settle();
  return props;
}

beforeEach(() => {
  host = document.createElement("div");
  host.className = "cnnw-root";
  host.style.cssText = "width:700px";
  document.body.append(host);
});
afterEach(() => {
  render(null, host);
  host.remove();
});

it("scrolls through 2,048 maps with few tiles in the page, each showing its own item", async () => {
  const { onVisible } = await show();
  const most = tiles().length;
  const canvases = new Set(host.querySelectorAll("canvas"));
  expect(most).toBeGreaterThan(40);
  expect(most).toBeLessThan(130);
  const seen = new Set<number>();
  for (let top = 0; top < grid().scrollHeight; top += 120) {
    grid().scrollTop = top;
    await frame();
    await frame();
    expect(tiles().length).toBeLessThanOrEqual(most + 10);
    for (const tile of tiles()) {
      const position = Number(tile.dataset.at);
      seen.add(position);
      if (position % 7 === 0) expect(drawn(tile)).toBe(position);
    }
  }
  expect(seen.size).toBe(2048);
  expect(
    [...host.querySelectorAll("canvas")].filter((c) => !canvases.has(c)).length,
  ).toBeLessThanOrEqual(10);
  for (const [first, last] of vi.mocked(onVisible).mock.calls) {
    expect(first).toBeGreaterThanOrEqual(0);
    expect(last).toBeGreaterThan(first);
    expect(last).toBeLessThanOrEqual(2048);
    expect(last - first).toBeLessThanOrEqual(most + 10);
  }
  expect(vi.mocked(onVisible).mock.calls.at(-1)?.[1]).toBe(2048);
});

it("covers what is on screen", async () => {
  await show();
  grid().scrollTop = 5000;
  await settle();
  const box = grid().getBoundingClientRect();
  for (const y of [box.top + 10, box.top + 250, box.bottom - 10]) {
    const row = document.elementFromPoint(box.left + 20, y)?.closest("[role=row]");
    expect(row).not.toBeNull();
  }
});

it("reserves the place of what is not loaded, and draws it when it comes", async () => {
  const loaded = signal(0);
  const known = new Set<number>();
  await show({ loaded, draw: (item, canvas) => known.has(item) && draw(item, canvas) });
  const place = tileAt(5)?.getBoundingClientRect();
  const canvas = tileAt(5)?.querySelector("canvas") as HTMLCanvasElement;
  expect(getComputedStyle(canvas).visibility).toBe("hidden");
  known.add(5);
  loaded.value++;
  expect([getComputedStyle(canvas).visibility, drawn(tileAt(5))]).toEqual(["visible", 5]);
  expect(tileAt(5)?.getBoundingClientRect()).toEqual(place);
});

it("draws again what a signal read while drawing changes", async () => {
  const shift = signal(0);
  await show({ draw: (item, canvas) => draw(item + shift.value, canvas) });
  shift.value = 3;
  expect(drawn(tileAt(4))).toBe(7);
});

it("is a grid to assistive technology", async () => {
  await show({ selected: 9, mark: (item) => (item === 3 ? ["", "zero here"] : []) });
  const columns = Number(grid().ariaColCount);
  expect([grid().role, grid().ariaLabel]).toEqual(["grid", "2,048 channels of layer4"]);
  expect(grid().ariaRowCount).toBe(String(Math.ceil(2048 / columns)));
  expect(tileAt(columns + 1)?.parentElement?.ariaRowIndex).toBe("2");
  expect([tileAt(9)?.ariaSelected, tileAt(8)?.ariaSelected]).toEqual(["true", "false"]);
  expect(tileAt(3)?.textContent).toBe("zero here3");
  expect(tiles().filter(({ tabIndex }) => tabIndex === 0)).toEqual([tileAt(9)]);
});

it("is walked by arrows, Home and End, with one tile that has the focus", async () => {
  const { onSelect, onOpen } = await show();
  const columns = Number(grid().ariaColCount);
  tileAt(0)?.focus();
  for (const [key, item] of [
    ["ArrowRight", 1],
    ["ArrowDown", 1 + columns],
    ["ArrowLeft", columns],
    ["ArrowUp", 0],
    ["End", 2047],
    ["Home", 0],
  ] as const) {
    await press(key);
    await settle();
    expect(onSelect).toHaveBeenLastCalledWith(item);
    expect(document.activeElement).toBe(tileAt(item));
    const [box, tile] = [grid(), document.activeElement as HTMLElement].map((e) =>
      e.getBoundingClientRect(),
    );
    expect(
      (tile as DOMRect).top >= (box as DOMRect).top &&
        (tile as DOMRect).bottom <= (box as DOMRect).bottom,
    ).toBe(true);
  }
  await press("Enter");
  expect(onOpen).toHaveBeenLastCalledWith(0);
  vi.mocked(onSelect).mockClear();
  await press("PageDown");
  expect(onSelect).not.toHaveBeenCalled();
});

it("never leaves the focus on a tile that shows another item", async () => {
  const { onSelect } = await show();
  tileAt(2)?.focus();
  grid().scrollTop = 6000;
  await settle();
  expect(document.activeElement).toBe(grid());
  await press("ArrowRight");
  await settle();
  expect(onSelect).toHaveBeenLastCalledWith(3);
  expect(document.activeElement).toBe(tileAt(3));
});

it("shows items in an order, from the top", async () => {
  const order = Uint16Array.from({ length: 2048 }, (_, i) => 2047 - i);
  const props = await show();
  grid().scrollTop = 3000;
  await settle();
  await show({ ...props, order });
  expect(grid().scrollTop).toBe(0);
  expect([drawn(tileAt(0)), drawn(tileAt(1))]).toEqual([2047, 2046]);
  await act(() => tileAt(1)?.click());
  expect([props.onSelect, props.onOpen].map((f) => vi.mocked(f).mock.lastCall)).toEqual([
    [2046],
    [2046],
  ]);
});

it("brings a selection from elsewhere into view, and takes no focus", async () => {
  const props = await show();
  await show({ ...props, selected: 1500 });
  expect(tileAt(1500)?.ariaSelected).toBe("true");
  expect(grid().contains(document.activeElement)).toBe(false);
});

it("lays out again when its width changes", async () => {
  await show({ selected: 1000 });
  const columns = Number(grid().ariaColCount);
  host.style.width = "300px";
  await settle();
  expect(Number(grid().ariaColCount)).toBeLessThan(columns);
  expect(tileAt(1000)).not.toBeNull();
});

it("can be empty", async () => {
  const { onVisible } = await show({ count: 0 });
  expect(tiles()).toHaveLength(0);
  expect(onVisible).not.toHaveBeenCalled();
});
