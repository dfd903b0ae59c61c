import { useSignal } from "@preact/signals";
import { render } from "preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { eventually, find } from "./mounting";
import { Popup } from "./popup";
import "./theme.css";

let host: HTMLElement;
const [made, further] = [vi.fn(), vi.fn()];

function Sheet() {
  const label = useSignal("Colour");
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: as the root of a widget
    <section onKeyDown={({ key }) => further(key)}>
      <Popup label={label.value}>
        {() => {
          made(label.value);
          return (
            <button type="button" onClick={() => (label.value = "Colour: red")}>
              red
            </button>
          );
        }}
      </Popup>
      <p style="padding-top: 120px">
        Text <input aria-label="Size" />
      </p>
    </section>
  );
}

const summary = () => page.getByText(/^Colour/);
const red = () => host.querySelector("button");
const popup = () => find<HTMLDetailsElement>("details");
const opened = () => eventually(red).not.toBeNull();
const closed = async () => {
  await eventually(red).toBeNull(); // what is in it is gone
  expect(popup().open).toBe(false);
};

beforeEach(() => {
  host = document.createElement("div");
  host.className = "cnnw-root";
  document.body.append(host);
  vi.clearAllMocks();
  render(<Sheet />, host);
});
afterEach(() => {
  render(null, host);
  host.remove();
});

test("opens and closes by the mouse, and holds nothing while it is closed", async () => {
  expect([red(), made.mock.calls.length]).toEqual([null, 0]);
  await summary().click();
  await opened();
  await summary().click();
  await closed();
  const times = made.mock.calls.length;
  render(<Sheet />, host);
  expect(made).toHaveBeenCalledTimes(times);
});

test.each([["{Enter}"], [" "]])(
  "opens by %j; Escape closes it and gives the focus back",
  async (key) => {
    await userEvent.tab();
    expect(document.activeElement?.textContent).toBe("Colour");
    await userEvent.keyboard(key);
    await opened();
    await userEvent.tab();
    expect(document.activeElement).toBe(red());
    await userEvent.keyboard("{Enter}");
    await eventually(() => popup().textContent).toBe("Colour: redred"); // what it reads is followed
    further.mockClear();
    await userEvent.keyboard("{Escape}");
    await closed();
    expect(document.activeElement?.textContent).toBe("Colour: red");
    expect(further).not.toHaveBeenCalled();
    await userEvent.keyboard("{Escape}"); // which is for those further out now
    expect(further).toHaveBeenCalledExactlyOnceWith("Escape");
  },
);

test("is closed by a press beside it, and takes no focus from what was pressed", async () => {
  const field = page.getByRole("textbox");
  for (const beside of [field, page.getByText("Text")]) {
    await summary().click();
    await opened();
    await beside.click({ position: { x: 2, y: 125 }, force: true });
    await closed();
  }
  await summary().click();
  await opened();
  await field.click();
  await closed();
  expect(document.activeElement).toBe(field.element());
});

test("is closed by leaving it with Tab", async () => {
  await summary().click();
  await opened();
  await userEvent.tab();
  expect(popup().open).toBe(true);
  await userEvent.tab();
  expect(document.activeElement).toBe(page.getByRole("textbox").element());
  await closed();
});

test("stays open when its margin is pressed, and still hears Escape", async () => {
  await summary().click();
  await opened();
  const margin = popup().querySelector("div") as HTMLElement;
  await userEvent.click(margin, { position: { x: 2, y: 2 } });
  expect(document.activeElement).toBe(margin);
  expect(popup().open).toBe(true);
  await userEvent.keyboard("{Escape}");
  await closed();
  expect(document.activeElement).toBe(popup().querySelector("summary"));
});

test("stays open when the window loses the focus", async () => {
  await summary().click();
  await opened();
  red()?.focus();
  red()?.blur(); // to nothing, as then
  await new Promise((done) => setTimeout(done, 50));
  expect([popup().open, red()]).toEqual([true, expect.anything()]);
});

test("listens to the page only while it is open", async () => {
  const add = vi.spyOn(window, "addEventListener");
  for (let times = 0; times < 2; times++) {
    await summary().click();
    await opened();
    await userEvent.keyboard("{Escape}");
    await closed();
  }
  const heard = add.mock.calls.filter(([type]) => type === "pointerdown");
  add.mockRestore();
  const signals = heard.map(([, , options]) => (options as AddEventListenerOptions).signal);
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
});
