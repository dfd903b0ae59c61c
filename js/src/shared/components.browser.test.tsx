import type { ComponentChildren } from "preact";
import { render } from "preact";
import { useState } from "preact/hooks";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Banner } from "./banner";
import { Bars } from "./bars";
import { colors } from "./color";
import { Dialog } from "./dialog";
import { Legend } from "./legend";
import { mixed } from "./mixing";
import { SearchList } from "./search_list";
import { Slider } from "./slider";
import { Tabs } from "./tabs";
import "./theme.css";

let host: HTMLElement;
const show = (children: ComponentChildren) => act(() => render(children, host));
const find = <E extends HTMLElement>(selector: string) => host.querySelector<E>(selector) as E;
const all = (selector: string) => [...host.querySelectorAll<HTMLElement>(selector)];
const frame = () => act(() => new Promise<void>((done) => requestAnimationFrame(() => done())));
const press = async (key: string) => {
  await act(() => {
    document.activeElement?.dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
    );
  });
  await frame();
};
const input = (field: HTMLInputElement, value: string) =>
  act(() => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

beforeEach(() => {
  host = document.createElement("div");
  host.className = "cnnw-root";
  document.body.append(host);
});
afterEach(() => {
  render(null, host);
  host.remove();
  vi.useRealTimers();
});

it("Legend: over a picture it has the mixed colours, from black to white below them", async () => {
  const scale = { low: 0, high: 1, table: "weights" } as const;
  await show(<Legend scale={scale} caption="weight" bar={mixed("weights", 0.75)} />);
  const pixel = (y: number) =>
    find<HTMLCanvasElement>("canvas").getContext("2d")?.getImageData(200, y, 1, 1).data ?? [];
  const packed = colors("weights")[200] as number;
  const own = [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255];
  expect([...pixel(0)]).toEqual([...own.map((x) => Math.round(0.75 * x)), 255]);
  expect([...pixel(9)]).toEqual([...own.map((x) => Math.round(0.75 * x + 0.25 * 255)), 255]);
});

it("Legend: the table's own colours, the range, zero in its place, and the odd values", async () => {
  await show(
    <Legend
      scale={{ low: -1, high: 3, table: "weights" }}
      caption="weight"
      unit="mV"
      odd={[Number.NaN, Number.NEGATIVE_INFINITY]}
    />,
  );
  const { data } = (
    find<HTMLCanvasElement>("canvas").getContext("2d") as CanvasRenderingContext2D
  ).getImageData(0, 0, 256, 1);
  expect([...new Uint32Array(data.buffer)]).toEqual([...colors("weights")]);
  expect(find("[style*=left]").style.left).toBe("25%");
  expect(host.textContent).toBe("weight−1 mV03 mVnot a number−∞");
  const marks = [...host.querySelectorAll("i")].map(({ style }) => style.background);
  expect(marks).toEqual(["rgb(240, 60, 210)", "rgb(0, 213, 245)"]);
  expect(find("figure").ariaLabel).toBe("weight: colours from −1 mV to 3 mV");
});

it("Legend: nothing measured has no range, zeros alone have one", async () => {
  const none = { low: 0, high: 0, table: "weights" } as const;
  await show(<Legend scale={none} caption="weight" odd={[Number.NaN]} />);
  expect(host.textContent).toBe("weightnot measurednot a number");
  expect(find("figure").ariaLabel).toBe("weight: not measured");
  await show(<Legend scale={none} caption="weight" />);
  expect(host.textContent).toBe("weight00");
});

it("Slider: a native range with its unit", async () => {
  const onInput = vi.fn();
  await show(
    <Slider label="Noise" value={0.25} min={0} max={1} step={0.05} unit="σ" onInput={onInput} />,
  );
  const field = find<HTMLInputElement>("input");
  expect([field.type, field.value, field.getAttribute("aria-valuetext")]).toEqual([
    "range",
    "0.25",
    "0.25 σ",
  ]);
  expect(field.labels?.[0]?.textContent).toContain("Noise");
  await input(field, "0.5");
  expect(onInput).toHaveBeenCalledExactlyOnceWith(0.5);
});

it("Bars: lengths to scale, both ways from zero, and text that is text", async () => {
  const onSelect = vi.fn();
  const rows = [2, -1, Number.NaN].map((value) => ({
    label: `<i>${value}</i>`,
    value,
    text: String(value),
  }));
  await show(<Bars caption="logits" rows={rows} onSelect={onSelect} selected={1} />);
  const bars = all("li i").map((bar) => bar.style.width);
  expect(bars).toEqual(["50%", "25%", "0%"]);
  expect(all("li i").map((bar) => bar.className)).toEqual(["", "cnnw-negative", ""]);
  expect(find("button").textContent).toBe("<i>2</i>");
  await act(() => all("button")[2]?.click());
  expect(onSelect).toHaveBeenCalledExactlyOnceWith(2);
  await show(<Bars caption="top 5" max={1} rows={[{ label: "cat", value: 0.3, text: "30 %" }]} />);
  expect([find("li i").style.width, find("ul button")]).toEqual(["30%", null]);
});

it("Banner: speaks up for errors, and can be dismissed", async () => {
  const [onClick, onDismiss] = [vi.fn(), vi.fn()];
  await show(
    <Banner kind="error" action={{ label: "Ask again", onClick }} onDismiss={onDismiss}>
      {"<b>no</b>"}
    </Banner>,
  );
  expect([find("[role=alert]").textContent, find("b")]).toEqual(["<b>no</b>Ask again", null]);
  for (const button of all("button")) await act(() => button.click());
  expect([onClick.mock.calls.length, onDismiss.mock.calls.length]).toEqual([1, 1]);
  await show(<Banner kind="info">saved</Banner>);
  expect(find("[role=status]").textContent).toBe("saved");
});

it("Tabs: arrows skip what cannot be chosen", async () => {
  const tabs = [
    { key: "maps", label: "Maps" },
    { key: "filters", label: "Filters", disabled: "this layer has none" },
    { key: "mean", label: "Mean" },
  ] as const;
  const onSelect = vi.fn();
  await show(<Tabs label="View" tabs={tabs} selected="maps" onSelect={onSelect} />);
  const [maps, filters, mean] = all("[role=tab]") as [HTMLElement, HTMLElement, HTMLElement];
  expect([maps.ariaSelected, filters.ariaDisabled, filters.title]).toEqual([
    "true",
    "true",
    "this layer has none",
  ]);
  expect([maps, filters, mean].map(({ tabIndex }) => tabIndex)).toEqual([0, -1, -1]);
  maps.focus();
  await press("ArrowRight");
  expect(onSelect).toHaveBeenLastCalledWith("mean");
  expect(document.activeElement).toBe(mean);
  await act(() => filters.click());
  expect(onSelect).toHaveBeenCalledOnce();
});

it("Dialog: opens modal, and closes by Escape's own event, its button, and a click outside", async () => {
  const onClose = vi.fn();
  const dialog = (open: boolean) => (
    <Dialog title="Keys" {...{ open, onClose }}>
      <p>Arrows</p>
    </Dialog>
  );
  await show(dialog(false));
  const element = find<HTMLDialogElement>("dialog");
  expect(element.open).toBe(false);
  await show(dialog(true));
  expect([element.open, element.matches(":modal"), element.ariaLabel]).toEqual([
    true,
    true,
    "Keys",
  ]);
  await act(() => find("button").click());
  await act(() => element.click());
  await act(() => find("p").click());
  expect(onClose).toHaveBeenCalledTimes(2);
  await show(dialog(false));
  expect(element.open).toBe(false);
});

describe("SearchList", () => {
  const items = Array.from({ length: 60 }, (_, i) => `layer.${i}`);
  const onSelect = vi.fn();
  function Listed({ start = 2 as number | null }) {
    const [selected, setSelected] = useState(start);
    const [folded, setFolded] = useState<ReadonlySet<string>>(new Set(["block 1"]));
    return (
      <div style="height:200px;display:flex">
        <SearchList
          label="layers"
          {...{ items, selected, folded }}
          filter={(item, query) => item.includes(query)}
          renderItem={(item) => item}
          group={(item) => `block ${item.length - 7}`}
          onFold={(name) => setFolded((old) => (old.has(name) ? new Set() : new Set([name])))}
          onSelect={(index) => {
            onSelect(index);
            setSelected(index);
          }}
        />
      </div>
    );
  }
  const rows = () => all("[role=option]").map((row) => row.textContent);
  beforeEach(() => {
    onSelect.mockClear();
    return show(<Listed />);
  });

  it("lists groups, folded or not", async () => {
    expect(rows()).toHaveLength(10);
    const [open, folded] = all("[aria-expanded]") as [HTMLElement, HTMLElement];
    expect([open.ariaExpanded, folded.ariaExpanded, folded.textContent]).toEqual([
      "true",
      "false",
      "block 150",
    ]);
    await act(() => folded.click());
    expect(rows()).toHaveLength(60);
  });

  it("finds, also in folded groups, and says how many", async () => {
    await input(find("input"), " Layer.5 ");
    expect(rows()).toHaveLength(11);
    expect(find("[aria-live]").textContent).toBe("11 of 60");
    find("input").focus();
    await press("Enter");
    expect(onSelect).toHaveBeenLastCalledWith(5);
    await input(find("input"), "<b>");
    expect(find("[aria-live]").textContent).toBe("Nothing matches “<b>”.");
    await press("Escape");
    expect(rows()).toHaveLength(10);
  });

  it("is walked by arrows from the field on, keeping what is chosen in view", async () => {
    find("input").focus();
    await press("ArrowDown");
    expect(onSelect).toHaveBeenLastCalledWith(3);
    expect(document.activeElement?.textContent).toBe("layer.3");
    await press("End");
    expect(onSelect).toHaveBeenLastCalledWith(9);
    const list = find("[role=listbox]").getBoundingClientRect();
    const row = document.activeElement?.getBoundingClientRect() as DOMRect;
    expect([row.top >= list.top, row.bottom <= list.bottom + 1]).toEqual([true, true]);
    await press("ArrowDown");
    expect(onSelect).toHaveBeenLastCalledWith(9);
  });
});
