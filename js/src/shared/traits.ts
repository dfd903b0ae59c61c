/** A record of what `of` gives for each name of a list of words; "_name" stands there as "name". */
export const byName = <T>(names: string, of: (name: string) => unknown) =>
  Object.fromEntries(names.split(" ").map((name) => [name.replace(/^_/, ""), of(name)])) as T;
