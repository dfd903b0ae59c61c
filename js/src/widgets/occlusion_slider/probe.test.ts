import { expect, test, vi } from "vitest";
import type { Bridge, Reply } from "../../shared/model";
import { RequestError } from "../../shared/model";
import { Probe, type Question } from "./probe";

const question = (row: number): Question => ({
  key: 1,
  row,
  column: 0,
  window: 4,
  fill: "mean",
  kept: [],
  target: 0,
});

/** A probe whose kernel answers when it is told to. */
function probing() {
  const asked: { row: number; answer: (error?: Error) => Promise<void> }[] = [];
  const bridge = {
    signal: new AbortController().signal,
    request: (_: string, { row }: Question) =>
      new Promise<Reply<unknown>>((resolve, reject) => {
        const answer = async (error?: Error) => {
          error ? reject(error) : resolve({ value: { rows: [{ index: row }] }, tensors: [] });
          await new Promise((done) => setTimeout(done));
        };
        asked.push({ row, answer });
      }),
  } as unknown as Bridge;
  const told = vi.fn();
  const probe = new Probe(bridge, { question: question(0), rows: [] }, told);
  return { probe, asked, told };
}

const rows = (asked: { row: number }[]) => asked.map(({ row }) => row);

test("one question is asked at a time, and only the newest waits", async () => {
  const { probe, asked, told } = probing();
  for (let row = 1; row <= 200; row++) probe.want(question(row));
  expect(rows(asked)).toEqual([1]);
  await asked[0]?.answer();
  expect(probe.answer.value.question.row).toBe(1);
  expect(rows(asked)).toEqual([1, 200]);
  await asked[1]?.answer();
  expect(probe.answer.value.question.row).toBe(200);
  expect(told).toHaveBeenCalledTimes(2);
  probe.want(question(7));
  expect(rows(asked)).toEqual([1, 200, 7]);
});

test("what is known already is not asked", async () => {
  const { probe, asked } = probing();
  probe.want(question(0));
  await Promise.resolve();
  expect(asked).toEqual([]);
});

test("a failure is said until the next answer, and what waits is still asked", async () => {
  const { probe, asked } = probing();
  probe.want(question(1));
  probe.want(question(2));
  await asked[0]?.answer(new RequestError("window: 99 is too large"));
  expect(probe.failed.value).toBe("window: 99 is too large");
  expect(probe.answer.value.question.row).toBe(0);
  await asked[1]?.answer();
  expect(probe.failed.value).toBeUndefined();
  expect(probe.answer.value.question.row).toBe(2);
});

test("a picture that has changed meanwhile is no failure", async () => {
  const { probe, asked } = probing();
  probe.want(question(1));
  await asked[0]?.answer(new RequestError("the picture has changed"));
  expect(probe.failed.value).toBeUndefined();
});
