import { effect } from "@preact/signals";
import { describe, expect, it, vi } from "vitest";
import type { Content } from "./fake_model";
import { LATE, UNANSWERED } from "./look";
import { GONE, LOST } from "./model";
import { abort, failure, last, model, open, page } from "./opened";

describe("status", () => {
  it("says hello, and bye", () => {
    open();
    abort.abort();
    expect(model.kinds()).toEqual(["hello", "bye"]);
    expect(model.sent[0]?.page).toBe(model.sent[1]?.page);
  });

  it("says bye when the page is left, which aborts nothing", () => {
    open();
    page.dispatchEvent(new Event("pagehide"));
    expect(model.kinds()).toEqual(["hello", "bye"]);
    abort.abort();
    page.dispatchEvent(new Event("pagehide"));
    expect(model.kinds()).toEqual(["hello", "bye", "bye"]);
  });

  it("waits for an idle kernel's answer only so long, and recovers with it", async () => {
    const bridge = open();
    const asked = bridge.request("map", {});
    vi.advanceTimersByTime(UNANSWERED - 1);
    expect(bridge.status.value).toBe("connected");
    vi.advanceTimersByTime(1);
    expect(bridge.status.value).toBe("disconnected");
    model.reply(last(), 1);
    expect(bridge.status.value).toBe("connected");
    await asked;
  });

  it("is patient with a busy kernel, and with one that reports progress", () => {
    const bridge = open();
    void failure(bridge.request("map", {}));
    model.kernel.status = "busy";
    vi.advanceTimersByTime(5 * UNANSWERED);
    expect(bridge.status.value).toBe("busy");
    model.kernel.status = "idle";
    model.message({ kind: "progress", id: last().id, done: 1, total: 2 });
    vi.advanceTimersByTime(UNANSWERED - 1);
    expect(bridge.status.value).toBe("connected");
    vi.advanceTimersByTime(1);
    expect(bridge.status.value).toBe("disconnected");
  });

  it("tells soon that a running cell keeps the kernel from answering", async () => {
    const bridge = open();
    const asked = bridge.request("map", {});
    model.kernel.status = "busy";
    vi.advanceTimersByTime(LATE - 1);
    expect(bridge.status.value).toBe("connected");
    vi.advanceTimersByTime(1);
    expect(bridge.status.value).toBe("busy");
    bridge.interrupt?.();
    expect(model.interrupts).toBe(1);
    model.kernel.statusChanged.emit("idle");
    expect(bridge.status.value).toBe("connected");
    model.reply(last(), 1);
    await asked;
  });

  it("tells no more of the running cell once it is answered", async () => {
    const bridge = open();
    const asked = bridge.request("map", {});
    model.kernel.status = "busy";
    vi.advanceTimersByTime(LATE);
    model.message({ kind: "progress", id: last().id, done: 1, total: 2 });
    vi.advanceTimersByTime(UNANSWERED - 1);
    expect(bridge.status.value).toBe("connected");
    vi.advanceTimersByTime(1);
    expect(bridge.status.value).toBe("busy");
    model.kernel.connectionStatusChanged.emit("connecting");
    vi.advanceTimersByTime(UNANSWERED);
    expect(bridge.status.value).toBe("disconnected");
    model.reply(last(), 1);
    expect(bridge.status.value).toBe("connected");
    await asked;
  });

  it("asks once more what was lost with the connection, and no more", async () => {
    const bridge = open();
    const lost = bridge.request("map", { channel: 1 });
    model.kernel.connectionStatusChanged.emit("connecting");
    expect(bridge.status.value).toBe("disconnected");
    const unsent = bridge.request("map", { channel: 2 });
    expect(model.requests()).toHaveLength(1);
    model.kernel.connectionStatusChanged.emit("connected");
    expect(bridge.status.value).toBe("connected");
    expect(model.kinds()).toEqual(["hello", "request", "hello", "request", "request"]);
    const [first, again, second] = model.requests() as [Content, Content, Content];
    expect(again).toEqual(first);
    model.kernel.connectionStatusChanged.emit("connecting");
    model.kernel.connectionStatusChanged.emit("connected");
    expect(model.requests().map(({ args }) => args.channel)).toEqual([1, 1, 2, 2]);
    model.reply(first, "a");
    model.reply(again, "a, once more");
    model.reply(second, "b");
    expect([(await lost).value, (await unsent).value]).toEqual(["a", "b"]);
  });

  it.each([
    ["restarted", () => model.kernel.statusChanged.emit("restarting")],
    ["dead", () => model.kernel.statusChanged.emit("dead")],
    ["restarted by itself", () => model.kernel.statusChanged.emit("autorestarting")],
    ["gone from the page", () => model.kernel.disposed.emit()],
    ["without the widget", () => model.fire("comm:close")],
  ])(
    "refuses requests when the kernel is %s, also after the connection is back",
    async (_, happen) => {
      const bridge = open();
      const asked = failure(bridge.request("map", {}));
      happen();
      model.kernel.connectionStatusChanged.emit("connected");
      expect(bridge.status.value).toBe("gone");
      expect((await asked)?.message).toBe(GONE);
      expect((await failure(bridge.request("map", {})))?.message).toBe(GONE);
      expect([model.requests().length, bridge.pending.value]).toEqual([1, 0]);
    },
  );

  it("tells a lost connection from a kernel that is gone, and what to do", () => {
    expect(LOST).toMatch(/connection .* is lost; .* waits until it is back/);
    expect(LOST).not.toMatch(/restarted|run the cell/);
    expect(GONE).toMatch(/restarted or shut down; .* run the cell again/);
    const { status } = open();
    const seen: string[] = [];
    effect(() => void seen.push(status.value));
    const { statusChanged, connectionStatusChanged } = model.kernel;
    for (const now of ["connecting", "connected", "disconnected"])
      connectionStatusChanged.emit(now);
    statusChanged.emit("restarting");
    for (const now of ["connecting", "connected"]) connectionStatusChanged.emit(now);
    statusChanged.emit("idle");
    expect(seen).toEqual(["connected", "disconnected", "connected", "disconnected", "gone"]);
  });

  it("takes a comm that throws for a kernel that is gone", async () => {
    const bridge = open();
    model.broken = true;
    expect((await failure(bridge.request("map", {})))?.message).toBe(GONE);
    vi.advanceTimersByTime(UNANSWERED);
    expect([bridge.status.value, vi.getTimerCount()]).toEqual(["gone", 0]);
  });

  it.each([{}, { kernel: null }, { kernel: {} }])(
    "counts as connected under a manager like %j",
    (manager) => {
      model.widget_manager = manager;
      const bridge = open();
      expect([bridge.status.value, bridge.interrupt]).toEqual(["connected", undefined]);
      void failure(bridge.request("map", {}));
      vi.advanceTimersByTime(UNANSWERED);
      expect(bridge.status.value).toBe("disconnected");
    },
  );

  it("is “replay” on an exported page, which is asked and never timed", async () => {
    model.widget_manager = { replay: true };
    const bridge = open();
    const asked = bridge.request("map", {});
    vi.advanceTimersByTime(3 * UNANSWERED);
    expect(bridge.status.value).toBe("replay");
    model.reply(last(), 1);
    expect((await asked).value).toBe(1);
    expect(model.kinds()).toEqual(["request"]);
  });
});
