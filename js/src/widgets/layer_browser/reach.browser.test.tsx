// What the mouse reaches, the keyboard reaches too, and the ring of the focus is not cut off.
import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { eventually, mount, press, see } from "./mounting";

const RING = 3; // theme.css: 1 px apart and 2 px wide

/** Is there room for the ring within whatever scrolls around the element? */
function ringShows(element: Element): boolean {
  const { top, left } = element.getBoundingClientRect();
  for (let box = element.parentElement; box; box = box.parentElement) {
    if (getComputedStyle(box).overflow === "visible") continue;
    const outer = box.getBoundingClientRect();
    return top - outer.top >= RING && left - outer.left >= RING;
  }
  return true;
}

test("Tab reaches the pictures to choose from, Enter chooses", async () => {
  const kernel = mount();
  const first = page.getByRole("button", { name: "Show picture 0" });
  await expect.element(first).toBeVisible();
  while (document.activeElement !== first.element()) await userEvent.tab();
  expect(getComputedStyle(first.element()).outlineStyle).toBe("solid");
  expect(ringShows(first.element())).toBe(true);
  await userEvent.tab();
  await userEvent.tab();
  await press("{Enter}");
  await eventually(() => kernel.get("_pictures")).toMatchObject({ a: { choice: 2 } });
});

test("Tab goes from the map into its receipt, the arrow keys scroll it", async () => {
  mount({ width: 1280, traits: { layer: "conv2", unit: [4, 5] } });
  await see(/what torch computed/);
  const map = page.getByRole("application", { name: "conv2 channel 0" }).element() as HTMLElement;
  map.focus();
  expect(ringShows(map)).toBe(true);
  const copy = page.getByRole("button", { name: "Copy as code" }).element();
  while (document.activeElement !== copy) await userEvent.tab();
  expect(ringShows(copy)).toBe(true);
  const sums = document.querySelector("section section > div") as Element;
  while (document.activeElement !== sums) await userEvent.tab();
  expect(ringShows(sums)).toBe(true);
  await press("{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}{ArrowDown}");
  await eventually(() => sums.scrollTop).toBeGreaterThan(0);
});
