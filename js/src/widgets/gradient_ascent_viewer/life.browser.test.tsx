import { afterEach, expect, test, vi } from "vitest";
import { page } from "vitest/browser";
import type { MockKernel } from "./mock_kernel";
import { button, eventually, mount, root, see, state, step, unmount } from "./mounting";

const banners = () => [...root().querySelectorAll(".cnnw-banner")].map((one) => one.textContent);
const none = () => eventually(banners).toEqual([]);

/** An ascent that is over. */
function climb(kernel: MockKernel, last = 40): void {
  kernel.begin();
  kernel.frame(0, 0);
  kernel.frame(1, last);
  kernel.finish();
}

test("while a cell runs it says so, and can interrupt the cell", async () => {
  const kernel = mount();
  kernel.answering = false;
  kernel.kernel.status = "busy";
  await button("Run").click();
  await see("A cell is running; the kernel answers when it has ended.");
  expect(state()).toBe("busy");
  await button("Interrupt").click();
  expect(kernel.interrupts).toBe(1);
  kernel.kernel.status = "idle";
  kernel.kernel.statusChanged.emit("idle");
  await none();
  expect(state()).toBe("empty");
});

test("without a connection it says so until there is one", async () => {
  const kernel = mount();
  climb(kernel);
  await eventually(state).toBe("ended");
  kernel.kernel.connectionStatusChanged.emit("connecting");
  await see(/^The connection to the kernel is lost; what was seen still works/);
  expect(button("Interrupt").query()).toBeNull();
  await expect.element(button("Run")).toHaveAttribute("aria-disabled", "true");
  await expect.element(step()).toBeEnabled();
  kernel.kernel.connectionStatusChanged.emit("connected");
  await none();
  expect(state()).toBe("ended");
  await button("Run").click();
  expect(kernel.asked("run")).toHaveLength(1);
});

test("of a kernel that was restarted it says so once, whatever was asked", async () => {
  const kernel = mount();
  kernel.answering = false;
  await button("Run").click();
  kernel.kernel.statusChanged.emit("restarting");
  await eventually(state).toBe("gone");
  await eventually(banners).toEqual([expect.stringContaining("The kernel was restarted")]);
  await button("Run").click({ force: true });
  expect(kernel.asked("run")).toHaveLength(1);
});

test("says what went wrong, as text, until it is well", async () => {
  const kernel = mount();
  kernel.update("_error", "size: <b>3</b> is too small");
  await see("size: <b>3</b> is too small");
  await expect.element(page.getByRole("alert")).toBeVisible();
  kernel.update("_error", null);
  await none();
});

afterEach(() => vi.restoreAllMocks());

test("taken off the page while it plays, it stops, and listens to nothing", async () => {
  const ticking = new Set<unknown>();
  const { setInterval: begin, clearInterval: end } = globalThis;
  vi.spyOn(globalThis, "setInterval").mockImplementation(((run: () => void, wait: number) => {
    const timer = begin(run, wait);
    ticking.add(timer);
    return timer;
  }) as never);
  vi.spyOn(globalThis, "clearInterval").mockImplementation((timer) => {
    ticking.delete(timer);
    end(timer);
  });
  const kernel = mount({ playing: true, follow: false });
  climb(kernel, 400);
  await eventually(() => Number(root().dataset.step)).toBeGreaterThan(2);
  expect(ticking.size).toBe(1);
  unmount();
  await eventually(() => ticking.size, 1000).toBe(0);
  expect(kernel.listeners).toBe(0);
  expect(root()).toBeNull();
});
