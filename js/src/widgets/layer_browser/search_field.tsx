import { useBrowser } from "./state";

/** Filters the strip; Enter takes the first match, the down arrow goes into the strip, Escape clears. */
export function SearchField({ onDown }: { onDown: () => void }) {
  const { query, found, graph, layerName, searchField } = useBrowser();
  const onKeyDown = (event: KeyboardEvent) => {
    const [first] = found.value ?? [];
    if (event.key === "ArrowDown") onDown();
    else if (event.key === "Enter" && first !== undefined)
      layerName.value = graph.value?.layers[first]?.name ?? layerName.value;
    else if (event.key === "Escape" && query.value) query.value = "";
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <input
      ref={searchField}
      class="cnnw-lb-search"
      type="search"
      placeholder="Search layers ( / )"
      aria-label="Search layers"
      value={query.value}
      onInput={(event) => (query.value = event.currentTarget.value)}
      onKeyDown={onKeyDown}
    />
  );
}
