import { count, shape } from "../../shared/format";
import { Icon } from "../../shared/icon";
import { fieldWords, shortName, strapline, summary } from "./describe";
import { type Group, ROW_HEIGHT, type Row } from "./groups";
import { Gutter } from "./gutter";
import { markOf } from "./kinds";
import type { RowLanes } from "./lanes";
import { Mark } from "./mark";
import { useBrowser } from "./state";
import type { Layer } from "./types";

interface StripRowProps {
  row: Row;
  at: number;
  top: number;
  /** Absent while a search hides the rows between. */
  lanes: RowLanes | undefined;
  width: number;
  focusable: boolean;
  onClick: () => void;
}

export function StripRow({ row, at, top, lanes, width, focusable, onClick }: StripRowProps) {
  const { graph, index } = useBrowser();
  const height = ROW_HEIGHT[row.type];
  const layer = row.type === "layer" ? graph.value?.layers[row.index] : undefined;
  const { input = [], guessed } = graph.value ?? {};
  const chosen = row.type === "layer" && row.index === index.value;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys
    <div
      data-type={row.type}
      role="treeitem"
      data-row={at}
      data-layer={layer?.name}
      data-error={layer?.error ? "" : undefined}
      aria-selected={chosen}
      aria-level={row.type === "layer" && row.nested ? 2 : 1}
      aria-expanded={row.type === "group" ? row.open : undefined}
      aria-label={layer && summary(layer, input) + (layer.error ? ` · failed: ${layer.error}` : "")}
      title={layer && (layer.error ?? summary(layer, input))}
      tabIndex={focusable ? 0 : -1}
      style={{ top: `${top}px`, height: `${height}px` }}
      onClick={onClick}
    >
      {lanes && <Gutter row={lanes} lanes={width} height={height} />}
      {row.type === "group" ? (
        <GroupRow group={row.group} />
      ) : layer ? (
        <LayerRow layer={layer} input={input} nested={row.type === "layer" && row.nested} />
      ) : (
        <>
          <span>input</span>
          <span
            title={
              guessed
                ? "Nothing told the size: if it is another, give Network(model, input_size=…)"
                : ""
            }
          >
            {shape(input)}
            {guessed && " (guessed)"}
          </span>
        </>
      )}
    </div>
  );
}

function LayerRow({ layer, input, nested }: { layer: Layer; input: number[]; nested: boolean }) {
  return (
    <>
      <Mark color={markOf(layer.kind)} />
      <span>
        {nested ? shortName(layer) : layer.name}
        <small>{strapline(layer)}</small>
      </span>
      <span>
        {layer.error ? <b>failed</b> : layer.shape && shape(layer.shape)}
        <small>
          {layer.rf && layer.shape && `sees ${fieldWords(layer, input).split(/ input| \(/)[0]}`}
        </small>
      </span>
    </>
  );
}

function GroupRow({ group: { name, first, last } }: { group: Group }) {
  const { graph } = useBrowser();
  const layers = graph.value?.layers.slice(first, last) ?? [];
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const failed = layers.some(({ error }) => error);
  return (
    <>
      <Icon icon="fold" />
      <span>{name}</span>
      <span>
        {failed && <b>failed </b>}
        <small title={`${count(parameters)} parameters`}>{last - first} layers</small>
      </span>
    </>
  );
}
