import { computed, signal } from "@preact/signals";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { Player } from "./player";
import "./theme.css";

let host: HTMLElement;
const find = <E extends HTMLElement>(selector: string) => host.querySelector<E>(selector) as E;
const button = () => find<HTMLButtonElement>("button");
const input = () => find<HTMLInputElement>("input");
const pass = (seconds: number) => act(() => void vi.advanceTimersByTime(1000 * seconds));
const press = () => act(() => button().click());
const motion = vi.spyOn(window, "matchMedia");
let hidden = false;
Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
const hide = (now: boolean) =>
  act(() => {
    hidden = now;
    document.dispatchEvent(new Event("visibilitychange"));
  });

beforeEach(() => {
  vi.useFakeTimers();
  host = document.createElement("div");
  host.className = "cnnw-root";
  document.body.append(host);
});
afterEach(() => {
  render(null, host);
  host.remove();
  hidden = false;
  vi.useRealTimers();
  motion.mockReset();
});

/** Stops ten apart from 100 on, of which ten are played in a second. */
function played({ from = 100, last = 200 } = {}) {
  const [at, end] = [signal(from), signal(last)];
  const seen: number[] = [];
  return {
    range: () => [100, end.value] as const,
    at: () => at.value,
    playing: signal(false),
    speed: signal(1),
    pace: () => 100,
    go: (to: number) => {
      at.value = Math.floor(to / 10) * 10;
      if (seen.at(-1) !== at.value) seen.push(at.value);
    },
    end,
    seen,
    now: computed(() => at.value),
  };
}

const show = (given: ReturnType<typeof played>) =>
  act(() => render(<Player label="Step" played={given} format={(at) => `no. ${at}`} />, host));

it("plays to the end and stops there, and starts over from it", async () => {
  const given = played();
  await show(given);
  expect([button().ariaLabel, find("output").textContent]).toEqual(["Play", "no. 100"]);
  await press();
  expect(button().ariaLabel).toBe("Pause");
  await pass(0.55);
  expect(given.seen).toEqual([100, 110, 120, 130, 140, 150]);
  await pass(1);
  expect([button().ariaLabel, input().value, given.playing.value]).toEqual(["Play", "200", false]);
  await pass(1);
  expect(given.seen.at(-1)).toBe(200);
  await press();
  expect([button().ariaLabel, find("output").textContent]).toEqual(["Pause", "no. 100"]);
  await press();
  await pass(1);
  expect(given.now.value).toBe(100);
});

it("plays at the speed that is chosen, at once", async () => {
  const given = played({ last: 1000 });
  await show(given);
  const speed = find<HTMLSelectElement>("select");
  expect([...speed.options].map(({ text }) => text)).toEqual(["¼×", "½×", "1×", "2×", "4×"]);
  expect([speed.labels?.[0]?.textContent, speed.selectedOptions[0]?.text]).toEqual([
    expect.stringContaining("Speed"),
    "1×",
  ]);
  await press();
  await pass(1);
  expect(given.now.value).toBe(200);
  for (const [index, to] of [
    [0, 220],
    [4, 620],
  ] as const) {
    await act(() => {
      speed.selectedIndex = index;
      speed.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await pass(index ? 1 : 0.95);
    expect(given.now.value).toBe(to);
  }
});

it("follows a range that grows, and a reader who goes elsewhere", async () => {
  const given = played();
  await show(given);
  await press();
  await pass(0.5);
  await act(() => {
    given.end.value = 400;
    given.go(300);
  });
  await pass(0.5);
  expect([given.now.value, input().max]).toEqual([350, "400"]);
});

it("rests while the page is hidden, and after it was taken away", async () => {
  const given = played();
  await show(given);
  await press();
  await pass(0.2);
  await hide(true);
  expect(vi.getTimerCount()).toBe(0);
  await pass(0.5);
  expect([given.now.value, given.playing.value]).toEqual([120, true]);
  await hide(false);
  await pass(0.2);
  expect(given.now.value).toBe(140);
  await act(() => render(null, host));
  expect(vi.getTimerCount()).toBe(0);
  await hide(false);
  await pass(0.5);
  expect([given.now.value, vi.getTimerCount()]).toEqual([140, 0]);
});

it("draws seldom for readers who want less motion, and takes no longer", async () => {
  motion.mockReturnValue({ matches: true } as MediaQueryList);
  const given = played();
  await show(given);
  await press();
  await pass(1);
  expect(given.seen).toEqual([100, 150, 200]);
});

it("is a native slider for the keys, which stop it", async () => {
  vi.useRealTimers();
  const given = { ...played(), go: (to: number) => went.push(to) };
  const went: number[] = [];
  await act(() => render(<Player label="Step" played={given} format={String} />, host));
  await act(() => {
    given.playing.value = true;
  });
  went.length = 0;
  input().focus();
  await act(() => userEvent.keyboard("{End}"));
  expect([went.at(-1), given.playing.value]).toEqual([200, false]);
  button().focus();
  await act(() => userEvent.keyboard(" "));
  expect(given.playing.value).toBe(true);
});

it("has nothing to play with one place, and no speed where there is none to choose", async () => {
  const { speed, ...given } = played({ last: 100 });
  await act(() => render(<Player label="Step" played={given} format={String} />, host));
  expect([button().disabled, input().disabled, find("output").textContent]).toEqual([
    ...[true, true, "100"],
  ]);
  expect([speed.value, find("select")]).toEqual([1, null]);
  await act(() => {
    given.playing.value = true;
  });
  expect([button().ariaLabel, vi.getTimerCount()]).toEqual(["Play", 0]);
});
