import { handled } from "../../shared/keys";
import { choose, useBrowser } from "./state";

/** Filters the strip; Enter takes the first match, the down arrow goes into the strip, Escape clears. */
export function SearchField({ onDown }: { onDown: () => void }) {
  const state = useBrowser();
  const { query, found, searchField } = state;
  const onKeyDown = (event: KeyboardEvent) => {
    const [first] = found.value ?? [];
    if (event.key === "ArrowDown") onDown();
    else if (event.key === "Enter" && first !== undefined) choose(state, first);
    else if (event.key === "Escape" && query.value) query.value = "";
    else return;
    handled(event);
  };
  return (
    <input
      ref={searchField}
      type="search"
      placeholder="Search layers ( / )"
      aria-label="Search layers"
      value={query.value}
      onInput={(event) => (query.value = event.currentTarget.value)}
      onKeyDown={onKeyDown}
    />
  );
}
