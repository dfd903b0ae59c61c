// The class that is followed: searched for, the likeliest first.
import { percent } from "../../shared/format";
import { Popup } from "../../shared/popup";
import { SearchList } from "../../shared/search_list";
import { type State, useSlider } from "./state";

interface Item {
  index: number;
  note: string;
  group: string;
}

/** Without a kernel there are only the classes of the sweep. */
function itemsOf({ classes, target, probe, alone, sweep }: State): Item[] {
  const listed = probe.answer.value.rows.map(({ index, probability }) => ({
    ...{ index, group: "Likeliest" },
    note: probability === null ? "" : percent(probability),
  }));
  const swept = sweep.value?.classes.map(({ index }) => index) ?? [];
  const all = alone.value ? [...swept, target.value] : classes.value.keys();
  const others = new Set(all);
  for (const { index } of listed) others.delete(index);
  return [...listed, ...[...others].map((index) => ({ index, note: "", group: "All others" }))];
}

function ClassList() {
  const state = useSlider();
  const { classes, target } = state;
  const items = itemsOf(state);
  const nameOf = (index: number) => classes.value[index] ?? "";
  return (
    <SearchList
      label="classes"
      items={items}
      filter={({ index }, query) => nameOf(index).toLowerCase().includes(query)}
      selected={items.findIndex(({ index }) => index === target.value)}
      onSelect={(at) => (target.value = (items[at] as Item).index)}
      group={(item) => item.group}
      renderItem={({ index, note }) => (
        <>
          {nameOf(index)} <small>{note}</small>
        </>
      )}
    />
  );
}

export function ClassChoice() {
  const { classes, target } = useSlider();
  return <Popup label={`Class: ${classes.value[target.value]}`}>{() => <ClassList />}</Popup>;
}
