// The arithmetic of one unit: products per input channel, their sums, the bias, the result.
import { type Signal, useSignal } from "@preact/signals";
import { Fragment } from "preact";
import { useMemo } from "preact/hooks";
import { Button } from "../../shared/button";
import type { Scale, Table } from "../../shared/color";
import { count, exact, number } from "../../shared/format";
import type { Tensor } from "../../shared/wire";
import { type Cell, cellAt, onCellKey } from "./cells";
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
  const read = useSignal<Cell | undefined>(undefined);
  const [patch, weights, products, sums, inside] = tensors as Five;
  const operands = useMemo(
    () => [
      operand("", "input", patch, "activations"),
      operand("×", "weights", weights, "weights"),
      operand("=", "products", products, "activations"),
    ],
    [patch, weights, products],
  );
  const rows = contributions(sums.data, all.value);
  const total = sums.data.length;
  const picture = layer.value?.inputs[0] === "input";
  const colored = picture && graph.value?.input[0] === 3;
  const [first] = value.channels;
  const nameOf: NameOf = (i) => (colored && COLORS[first + i]) || `input channel ${first + i}`;
  return (
    <>
      <p>
        {conditions(value, patch.shape, picture)}
        {inside.data.some((cell) => !cell) && "; hatched cells are padding"}
        {total > 1 &&
          `; rows ${rows.length < total ? "sorted by |Σ|, largest first" : "in the order of the channels"}`}
      </p>
      <CellLine {...{ nameOf, operands, read }} />
      {total > FIRST_SHOWN && (
        <Button onClick={() => (all.value = !all.value)}>
          {all.value
            ? "Show the largest only"
            : `The ${FIRST_SHOWN} largest; show all ${count(total)}`}
        </Button>
      )}
      <Products {...{ rows, first, nameOf, operands, read }} inside={inside.data} />
      <Result value={value} sum={Array.from(sums.data).reduce((p, q) => p + q, 0)} />
    </>
  );
}

/** What an input channel of the patch is called. */
type NameOf = (index: number) => string;

interface ReadProps {
  nameOf: NameOf;
  operands: Operand[];
  /** The cell that is read. */
  read: Signal<Cell | undefined>;
}

interface ProductsProps extends ReadProps {
  rows: Contribution[];
  /** The layer's number of the patch's first channel. */
  first: number;
  /** 0 where a cell is padding. */
  inside: ArrayLike<number>;
}

function Products({ rows, first, nameOf, operands, inside, read }: ProductsProps) {
  const onCell = (event: Event) => {
    read.value = cellAt(event) ?? read.value;
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of what is inside
    <div
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read cells
      tabIndex={0}
      onPointerMove={onCell}
      onFocusIn={onCell}
      onKeyDown={onCellKey}
    >
      {rows.map((row, i) => (
        <ChannelSum
          key={row.index}
          channel={first + row.index}
          name={nameOf(row.index)}
          {...{ row, operands, inside }}
          following={i > 0}
        />
      ))}
    </div>
  );
}

/** "input channel 3, row 0, column 2: input 0.5 × weight −2 = product −1" */
function CellLine({ nameOf, operands, read }: ReadProps) {
  if (!read.value)
    return (
      <p data-cell="">Point at a cell, or go there with the arrow keys, for its exact numbers.</p>
    );
  const { index, row, column } = read.value;
  const [input, weight, product] = operands.map(({ tensor: { data, shape } }) => {
    const [, rows, columns] = shape as [number, number, number];
    return exact(data[(index * rows + row) * columns + column] ?? Number.NaN);
  });
  return (
    <p data-cell="" aria-live="polite">
      {nameOf(index)}, row {row}, column {column}: input {input} × weight {weight} = product{" "}
      {product}
    </p>
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
    <div class="cnnw-lb-sum" data-channel={channel} data-index={index}>
      <b>{name}</b>
      <span title={exact(sum)}>
        Σ {number(sum)}
        {following && <small title={exact(running)}>so far {number(running)}</small>}
      </span>
      {operands.map(({ sign, what, scale, tensor: { data, shape } }) => {
        const [, rows, columns] = shape as [number, number, number];
        const size = rows * columns;
        return (
          <Fragment key={what}>
            {sign && <i>{sign}</i>}
            <Matrix
              label={`${name}, ${what}`}
              caption={following ? undefined : what}
              values={data.subarray(index * size, (index + 1) * size)}
              inside={what === "weights" ? undefined : inside}
              {...{ rows, columns, scale }}
            />
          </Fragment>
        );
      })}
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
      <p>
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
