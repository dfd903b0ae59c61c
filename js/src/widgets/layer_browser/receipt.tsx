// How one unit of a convolution gets its value: products per input channel, their sums, the bias, the result.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Button } from "../../shared/button";
import { type Scale, symmetric, type Table } from "../../shared/color";
import { count, exact, number } from "../../shared/format";
import type { Tensor } from "../../shared/wire";
import { contributions, FIRST_SHOWN } from "./contributions";
import { CopyCode } from "./copy";
import { useReplies, Waiting } from "./loading";
import { Matrix } from "./matrix";
import type { Source } from "./resources";
import { useBrowser, useKeptFocus } from "./state";
import type { ReceiptValue } from "./types";

export interface ReceiptProps {
  source: Source;
  channel: number;
  unit: [number, number];
}

export function Receipt({ source, channel, unit: [row, column] }: ReceiptProps) {
  useKeptFocus();
  const { unit, shown } = useBrowser();
  const answers = useReplies<ReceiptValue>(
    "receipt",
    [{ ...source, channel, row, column }],
    "receipt",
  );
  const reply = answers.replies?.[0];
  const section = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // Where the receipt stands below the pictures, its head comes into view.
    const { current } = section;
    const box = current?.parentElement;
    if (!current || !box || current.offsetTop - box.offsetTop <= box.clientHeight / 2) return;
    box.scrollTop = current.offsetTop - box.offsetTop;
    current.firstElementChild?.scrollIntoView({ block: "nearest" });
  }, [row, column, channel, !reply]); // again once it is long enough to scroll to
  return (
    <section
      ref={section}
      class="cnnw-lb-receipt"
      aria-label="Receipt of one unit"
      data-current={answers.current || !!answers.error}
    >
      <header>
        <h4>
          Receipt of row {row}, column {column}, channel {channel}
          {shown.value.length > 1 && `, picture ${source.slot.toUpperCase()}`}
        </h4>
        {reply && <CopyCode code={reply.value.code} />}
        <Button onClick={() => (unit.value = null)}>Close</Button>
      </header>
      {reply && !answers.error ? (
        <Sum value={reply.value} tensors={reply.tensors} />
      ) : (
        <Waiting answers={answers} />
      )}
    </section>
  );
}

const around = (data: ArrayLike<number>, table: Table): Scale => {
  let limit = 0;
  for (let i = 0; i < data.length; i++) limit = Math.max(limit, Math.abs(data[i] ?? 0) || 0);
  return { ...symmetric(-limit, limit), table };
};

const pair = (value: ReceiptValue["padding"]) =>
  typeof value === "string" ? value : value[0] === value[1] ? value[0] : value.join("×");

/** Red, green and blue where the convolution reads the picture itself. */
function inputName(index: number, picture: boolean, channels: number): string {
  const color = picture && channels === 3 && ["red", "green", "blue"][index];
  return color || `input channel ${index}`;
}

function Sum({ value, tensors }: { value: ReceiptValue; tensors: Tensor[] }) {
  const { layer, graph } = useBrowser();
  const all = useSignal(false);
  const [patch, weights, products, sums, inside] = tensors as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const [total = 0, height = 0, width = 0] = patch.shape;
  const scales = useMemo(
    () =>
      [
        around(patch.data, "activations"),
        around(weights.data, "weights"),
        around(products.data, "activations"),
      ] as const,
    [patch, weights, products],
  );
  const rows = contributions(sums.data, all.value);
  const first = value.channels[0];
  const picture = layer.value?.inputs[0] === "input";
  const padded = inside.data.some((cell) => !cell);
  return (
    <>
      <p class="cnnw-note">
        kernel {height}×{width}, stride {pair(value.stride)}, padding {pair(value.padding)},
        dilation {pair(value.dilation)}, groups {value.groups}; reads{" "}
        {total === 1
          ? `input channel ${first}`
          : `input channels ${first}–${value.channels[1] - 1}`}
        {picture && " of the preprocessed picture"}
        {padded && "; hatched cells are padding"}
        {total > 1 &&
          `; rows ${rows.length < total ? "sorted by |Σ|, largest first" : "in the order of the channels"}`}
      </p>
      <div class="cnnw-lb-sums">
        {rows.map(({ index, sum, running }, i) => {
          const name = inputName(first + index, picture, graph.value?.input[0] ?? 0);
          const slice = ({ data }: Tensor) =>
            data.subarray(index * height * width, (index + 1) * height * width);
          const cells = { rows: height, columns: width };
          return (
            <div key={index} class="cnnw-lb-sum" data-channel={first + index}>
              <b>{name}</b>
              <Matrix
                label={`${name}, patch`}
                values={slice(patch)}
                inside={inside.data}
                scale={scales[0]}
                {...cells}
              />
              <i>×</i>
              <Matrix
                label={`${name}, weights`}
                values={slice(weights)}
                scale={scales[1]}
                {...cells}
              />
              <i>=</i>
              <Matrix
                label={`${name}, products`}
                values={slice(products)}
                inside={inside.data}
                scale={scales[2]}
                {...cells}
              />
              <span title={exact(sum)}>
                Σ {number(sum)}
                {i > 0 && <small title={exact(running)}>so far {number(running)}</small>}
              </span>
            </div>
          );
        })}
      </div>
      {total > FIRST_SHOWN && (
        <Button onClick={() => (all.value = !all.value)}>
          {all.value
            ? "Show the largest only"
            : `The ${FIRST_SHOWN} largest; show all ${count(total)}`}
        </Button>
      )}
      <Result value={value} sum={Array.from(sums.data).reduce((p, q) => p + q, 0)} />
    </>
  );
}

const Term = ({ name, value }: { name: string; value: number }) => (
  <span title={exact(value)}>
    <small>{name}</small>
    {number(value)}
  </span>
);

function Result({ value, sum }: { value: ReceiptValue; sum: number }) {
  const { bias, result, equal, check } = value;
  return (
    <footer>
      <p class="cnnw-lb-result">
        <Term name="sum over channels" value={sum} />
        <i>+</i>
        <Term name="bias" value={bias ?? Number.NaN} />
        <i>=</i>
        <span>
          <small>result</small>
          <b>{exact(result ?? Number.NaN)}</b>
        </span>
      </p>
      <p class="cnnw-lb-check" data-equal={equal}>
        {check}
      </p>
    </footer>
  );
}
