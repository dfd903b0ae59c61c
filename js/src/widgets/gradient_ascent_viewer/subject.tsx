// What the picture is to please: a unit of a layer, or a class; and what stands beside it.
import type { ComponentChildren } from "preact";
import { Popup } from "../../shared/popup";
import { SearchList } from "../../shared/search_list";
import { Channels } from "./channels";
import { Choice, Whole } from "./control";
import { unitText } from "./describe";
import { useAscent } from "./state";
import type { Compare, Layer, Place } from "./types";

/** "Row (0 … 7)" */
const upTo = (name: string, count: number) => `${name} (0 … ${count - 1})`;

interface PlaceProps {
  at: Place | null;
  /** Rows and columns; not known of pictures that are not of the usual size. */
  of: Place | null;
  onChange: (at: Place | null) => void;
}

/** Row and column of one neuron of a map; without, it is the mean of all. */
function Places({ at, of, onChange }: PlaceProps) {
  const names = ["Row", "Column"] as const;
  return (
    <>
      <label>
        <input
          type="checkbox"
          checked={!!at}
          onChange={({ currentTarget }) => onChange(currentTarget.checked ? [0, 0] : null)}
        />
        one neuron of the map
      </label>
      {at && (
        <div class="cnnw-ga-row">
          {names.map((name, axis) => (
            <Whole
              key={name}
              label={of ? upTo(name, of[axis] as number) : name}
              value={at[axis] as number}
              min={0}
              max={of ? (of[axis] as number) - 1 : undefined}
              onChange={(value) => onChange(axis ? [at[0], value ?? 0] : [value ?? 0, at[1]])}
            />
          ))}
        </div>
      )}
    </>
  );
}

const NO_UNIT = { layer: "", channel: 0, at: null };

function UnitChoice() {
  const { layers, objective, subject, size } = useAscent();
  const now = subject.value;
  const { layer, channel, at } = now.kind === "unit" ? now : NO_UNIT;
  const index = layers.value.findIndex(({ name }) => name === layer);
  const chosen = layers.value[index];
  const choose = (name: string, to: number, place: Place | null) =>
    (objective.value = unitText(name, to, place));
  return (
    <div class="cnnw-ga-unit">
      <SearchList
        label="layers"
        items={layers.value}
        filter={({ name, kind }, query) => `${name} ${kind}`.toLowerCase().includes(query)}
        selected={index}
        onSelect={(i) => {
          const { name, channels } = layers.value[i] as Layer;
          choose(name, Math.min(channel, channels - 1), null);
        }}
        renderItem={({ name, kind, channels }) => (
          <>
            {name}{" "}
            <small>
              {kind}, {channels}
            </small>
          </>
        )}
      />
      {chosen && (
        <>
          <Whole
            label={upTo("Channel", chosen.channels)}
            value={channel}
            min={0}
            max={chosen.channels - 1}
            onChange={(value) => choose(layer, value ?? 0, at)}
          />
          <Channels layer={chosen} channel={channel} onChoose={(to) => choose(layer, to, at)} />
          {chosen.maps && (
            <Places
              at={at}
              of={size.value === null ? chosen.maps : null}
              onChange={(place) => choose(layer, channel, place)}
            />
          )}
        </>
      )}
    </div>
  );
}

function ClassChoice() {
  const { classes, subject, objective } = useAscent();
  const now = subject.value;
  return (
    <SearchList
      label="classes"
      items={classes.value}
      filter={(name, query) => name.toLowerCase().includes(query)}
      selected={now.kind === "class" ? now.index : null}
      onSelect={(index) => (objective.value = `class:${index}`)}
      renderItem={(name) => name}
    />
  );
}

const MEASURES = (["log-odds", "logit", "probability"] as const).map((key) => [key, key] as const);

const COMPARED: [Compare, string][] = [
  ["none", "one picture"],
  ["sad", "happy and sad"],
  ["seeds", "seeds"],
  ["tv", "total variation"],
  ["channels", "neighbours"],
];
const COUNTS = Array.from({ length: 15 }, (_, i) => [i + 2, String(i + 2)] as const);

interface PickerProps {
  label: string;
  /** What is chosen of it, if it is of this kind. */
  chosen: string | false;
  children: () => ComponentChildren;
}

const Picker = ({ label, chosen, children }: PickerProps) => (
  <div data-chosen={chosen !== false}>
    <Popup label={`${label}: ${chosen || "…"}`}>{children}</Popup>
  </div>
);

export function Subject() {
  const { subject, objective, measure, compare, count, classes, layers, alone } = useAscent();
  const now = subject.value;
  const custom = now.kind === "custom";
  const many = !["none", "sad"].includes(compare.value);
  const two = now.kind === "class" && classes.value.length === 2;
  const compared = COMPARED.map(([key, words]) =>
    two && key === "channels" ? ([key, "both classes"] as const) : ([key, words] as const),
  );
  return (
    <>
      {(custom || alone.value) && <output>Objective: {objective.value}</output>}
      {!alone.value && layers.value.length > 0 && (
        <Picker label="Unit" chosen={now.kind === "unit" && objective.value}>
          {() => <UnitChoice />}
        </Picker>
      )}
      {!alone.value && classes.value.length > 0 && (
        <Picker label="Class" chosen={now.kind === "class" && now.name}>
          {() => <ClassChoice />}
        </Picker>
      )}
      {now.kind === "class" && <Choice label="Measure" trait={measure} options={MEASURES} />}
      <Choice label="Compare" trait={compare} options={custom ? compared.slice(0, 4) : compared} />
      {many && !(two && compare.value === "channels") && (
        <Choice label="How many" trait={count} options={COUNTS} />
      )}
    </>
  );
}
