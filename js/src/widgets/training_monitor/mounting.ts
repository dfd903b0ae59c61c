// What the browser tests share: a widget on a page, with a mock kernel, and pointing at its charts.
import { page } from "vitest/browser";
import { eventually, find, place } from "../../shared/mounting";
import widget from "./index";
import { MockKernel, pair } from "./mock_kernel";
import type { MockRun } from "./mock_runs";

export {
  button,
  choose,
  eventually,
  find,
  see,
  slide,
  slider,
  unmount,
} from "../../shared/mounting";

interface Mounted {
  runs?: MockRun[];
  width?: number;
  manager?: object;
  make?: (runs: MockRun[], traits: object) => MockKernel;
}

export function mount(traits: object = {}, given: Mounted = {}): MockKernel {
  const { runs = pair(), width = 1000, manager } = given;
  const make = given.make ?? ((...all) => new MockKernel(...all));
  const kernel = make(runs, { ...traits });
  if (manager) kernel.widget_manager = manager;
  place(widget.render, kernel.model, width);
  return kernel;
}

export const root = () => find(".cnnw-tm");
export const area = (title: string) => find(`[data-title="${title}"] [role="application"]`);

/** What a chart says of a curve. */
export const value = (title: string, run: string, curve: string) =>
  find(`[data-title="${title}"] [data-run="${run}"][data-curve="${curve}"] output`).textContent;

/** The pointer does something at a share of a chart's width. */
function point(type: string, title: string, share: number): void {
  const { left, top, width } = find(
    `[data-title="${title}"] .cnnw-tm-over`,
  ).getBoundingClientRect();
  const at = { clientX: left + share * width, clientY: top + 20, pointerId: 1 };
  area(title).dispatchEvent(new PointerEvent(type, { bubbles: true, ...at }));
}

export const hover = (title: string, share: number) => point("pointermove", title, share);

export function press(title: string, share: number): void {
  point("pointerdown", title, share);
  point("pointerup", title, share);
}

export function drag(title: string, from: number, to: number): void {
  point("pointerdown", title, from);
  point("pointermove", title, to);
  point("pointerup", title, to);
}

export const tab = (name: string) => page.getByRole("tab", { name, exact: true }).click();
export const plots = () => [...document.querySelectorAll<HTMLElement>(".cnnw-tm-plot")];
export const texts = (plot: Element | undefined) =>
  [...(plot?.querySelectorAll("text") ?? [])].map(({ textContent }) => textContent);
export const said = () =>
  [...document.querySelectorAll("output")].map(({ textContent }) => textContent);

/** Presses at a share of a figure's canvas. */
export function pressAt(
  plot: HTMLElement | undefined,
  across: number,
  down: number,
  type = "pointerdown",
) {
  const box = plot?.querySelector("canvas")?.getBoundingClientRect() as DOMRect;
  plot?.dispatchEvent(
    new PointerEvent(type, {
      ...{ bubbles: true, buttons: type === "pointerdown" ? 1 : 0 },
      ...{ clientX: box.left + across * box.width, clientY: box.top + down * box.height },
    }),
  );
}

export const pixel = (plot: HTMLElement | undefined, across: number, down: number) => {
  const canvas = plot?.querySelector("canvas") as HTMLCanvasElement;
  const [x, y] = [Math.floor(across * canvas.width), Math.floor(down * canvas.height)];
  return [...(canvas.getContext("2d")?.getImageData(x, y, 1, 1).data ?? [])];
};

export const timeline = () => find(".cnnw-tm-timeline");
export const ready = () => eventually(() => root().dataset.state).toBe("ready");
export const chart = (title: string) => find(`[data-title="${title}"]`);

/** Pixels of a colour on a chart. */
export function painted(title: string, [red, green, blue]: readonly number[]): number {
  const canvas = chart(title).querySelector("canvas") as HTMLCanvasElement;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i] === red && data[i + 1] === green && data[i + 2] === blue && data[i + 3] === 255)
      count++;
  return count;
}
export const BLUE = [0x00, 0x72, 0xb2];
export const ORANGE = [0xd5, 0x5e, 0x00];
