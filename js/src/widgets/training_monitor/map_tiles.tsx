// All channels of a layer at a snapshot, or how they differ from the pinned one.
import { useCallback } from "preact/hooks";
import { Choice } from "../../shared/choice";
import { count, number } from "../../shared/format";
import { Legend } from "../../shared/legend";
import { Slider } from "../../shared/slider";
import { times } from "../../shared/times";
import { DifferenceChoice } from "./difference";
import {
  type Drawn,
  endsText,
  type Input,
  type Maps,
  type MapTilesProps,
  useMaps,
} from "./drawn_maps";
import { endsOf, OVER } from "./maps";
import { Refusal } from "./refusal";
import { SizedGrid } from "./sized_grid";
import { useMonitor } from "./state";

/** Edges of tiles, and height of the grid at most (CSS pixels). */
const [EDGES, MOST] = [{ min: 32, max: 160, step: 8 }, 440];
/** Digits that there is room for under a tile. */
const LABEL = 2;

function Tools({ input: shown, inputs, pin }: Maps & { pin: number | undefined }) {
  const { over, input, tile } = useMonitor().looks;
  const options: (readonly [Input, string])[] = times(inputs, (i) => [i, `input channel ${i}`]);
  if (inputs === 3) options.unshift(["rgb", "inputs as RGB"]);
  return (
    <div class="cnnw-tm-tools">
      {inputs > 1 && (
        <Choice
          label="Input"
          value={shown}
          {...{ options }}
          onChange={(key) => (input.value = key)}
        />
      )}
      <Choice label="Colour range of" of={over} options={OVER} />
      <Slider label="Size" {...EDGES} of={tile} format={() => ""} />
      <DifferenceChoice pin={pin} />
    </div>
  );
}

/** The channels that came, with what their colours stand for. */
function Tiles({ drawn, at, ...maps }: Maps & { drawn: Drawn; at: number }) {
  const { looks, run } = useMonitor();
  const { channel, tile } = looks;
  const { items, item, word, single, draw, input, caption } = maps;
  const { layers = [], classes = [] } = run.value ?? {};
  const named = layers.at(-1) === drawn.wanted.layer && classes.length === items;
  const label = useCallback(
    (one: number) => `${one}${single ? `: ${endsText(drawn, one, input, LABEL)}` : ""}`,
    [single, drawn, input],
  );
  const scale = maps.scale(item);
  const all = drawn.channels > items ? `${count(items)} of ${count(drawn.channels)}` : items;
  return (
    <>
      <SizedGrid
        most={MOST}
        caption={`${all} ${word}s of ${drawn.wanted.layer} at step ${count(drawn.at)}`}
        count={items}
        tile={tile.value}
        {...{ draw, label }}
        selected={item}
        onSelect={(one) => (channel.value = one)}
      />
      <output>
        {drawn.at !== at && `step ${count(drawn.at)}, `}
        {items < drawn.channels && `${all} ${word}s; `}
        {word} {item}
        {named && ` (${classes[item]})`}: {endsText(drawn, item, input)}
      </output>
      {input === "rgb" ? (
        <p class="cnnw-tm-note">
          Red, green and blue weights as colours: mid grey is 0, the ends are ±
          {number(scale.high, 3)} ({caption}).
        </p>
      ) : (
        <Legend scale={scale} caption={caption} odd={endsOf(drawn.tensor).odd} />
      )}
    </>
  );
}

export function MapTiles(p: MapTilesProps) {
  const { wanted, at, pin } = p;
  const { maps } = useMonitor();
  const shown = useMaps(p);
  const { drawn, held, item } = shown;
  const refusal = maps.refusal(wanted, at);
  return (
    <div
      class="cnnw-tm-maps"
      data-at={drawn?.at}
      data-held={held}
      data-high={shown.scale(item).high}
    >
      <Tools {...shown} pin={pin} />
      {drawn?.at !== at && <Refusal said={refusal} />}
      {!drawn && !refusal && <p class="cnnw-tm-note">Fetching the snapshot of step {count(at)}.</p>}
      {drawn && <Tiles {...shown} {...{ drawn, at }} />}
    </div>
  );
}
