// The arithmetic of one unit: products per input channel, their sums, the bias, the result.
import { useSignal } from "@preact/signals";
import { Fragment } from "preact";
import { useMemo } from "preact/hooks";
import { Button } from "../../shared/button";
import type { Scale, Table } from "../../shared/color";
import { count, exact, number } from "../../shared/format";
import type { Tensor } from "../../shared/wire";
import { extent } from "./channels";
import { type Contribution, contributions, FIRST_SHOWN } from "./contributions";
import { zeroCentred } from "./data";
import { COLORS } from "./describe";
import { Matrix } from "./matrix";
import { useBrowser } from "./state";
import type { ReceiptValue } from "./types";

/** The operation before a stack of matrices (one for each input channel), and how they are coloured. */
interface Operand {
  sign: string;
  what: string;
  tensor: Tensor;
  scale: Scale;
}

type Five = [Tensor, Tensor, Tensor, Tensor, Tensor];

export function Sum({ value, tensors }: { value: ReceiptValue; tensors: Tensor[] }) {
  const { layer, graph } = useBrowser();
  const all = useSignal(false);
  const [patch, weights, products, sums, inside] = tensors as Five;
  const operands = useMemo(
    () => [
      operand("", "patch", patch, "activations"),
      operand("×", "weights", weights, "weights"),
      operand("=", "products", products, "activations"),
    ],
    [patch, weights, products],
  );
  const rows = contributions(sums.data, all.value);
  const total = sums.data.length;
  const picture = layer.value?.inputs[0] === "input";
  const colored = picture && graph.value?.input[0] === 3;
  return (
    <>
      <p>
        {conditions(value, patch.shape, picture)}
        {inside.data.some((cell) => !cell) && "; hatched cells are padding"}
        {total > 1 &&
          `; rows ${rows.length < total ? "sorted by |Σ|, largest first" : "in the order of the channels"}`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys scroll it */}
      <div tabIndex={0}>
        {rows.map((row, i) => {
          const channel = value.channels[0] + row.index;
          const name = (colored && COLORS[channel]) || `input channel ${channel}`;
          const props = { channel, name, operands, row, inside: inside.data, following: i > 0 };
          return <ChannelSum key={channel} {...props} />;
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

const operand = (sign: string, what: string, tensor: Tensor, table: Table): Operand => ({
  sign,
  what,
  tensor,
  scale: zeroCentred(extent(tensor.data), table),
});

const pair = (value: ReceiptValue["padding"]) =>
  typeof value === "string" ? value : value[0] === value[1] ? value[0] : value.join("×");

/** "kernel 3×3, stride 1, padding 1, dilation 1, groups 1; reads input channels 0–31" */
function conditions(
  { channels: [first, end], stride, padding, dilation, groups }: ReceiptValue,
  [, height, width]: number[],
  picture: boolean,
): string {
  const read = end - first === 1 ? ` ${first}` : `s ${first}–${end - 1}`;
  return `kernel ${height}×${width}, stride ${pair(stride)}, padding ${pair(padding)}, dilation ${pair(dilation)}, groups ${groups}; reads input channel${read}${picture ? " of the preprocessed picture" : ""}`;
}

interface ChannelSumProps {
  channel: number;
  name: string;
  operands: Operand[];
  row: Contribution;
  /** 0 where a cell is padding. */
  inside: ArrayLike<number>;
  /** Is there a sum above it, to go on from? */
  following: boolean;
}

function ChannelSum({ channel, name, operands, row, inside, following }: ChannelSumProps) {
  const { index, sum, running } = row;
  return (
    <div class="cnnw-lb-sum" data-channel={channel}>
      <b>{name}</b>
      {operands.map(({ sign, what, scale, tensor: { data, shape } }) => {
        const [, rows, columns] = shape as [number, number, number];
        const size = rows * columns;
        return (
          <Fragment key={what}>
            {sign && <i>{sign}</i>}
            <Matrix
              label={`${name}, ${what}`}
              values={data.subarray(index * size, (index + 1) * size)}
              inside={what === "weights" ? undefined : inside}
              {...{ rows, columns, scale }}
            />
          </Fragment>
        );
      })}
      <span title={exact(sum)}>
        Σ {number(sum)}
        {following && <small title={exact(running)}>so far {number(running)}</small>}
      </span>
    </div>
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
      <p data-equal={equal}>{check}</p>
    </footer>
  );
}
