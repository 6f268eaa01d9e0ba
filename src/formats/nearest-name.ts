/** The one of `names` that was likely meant; undefined where none is near. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const near = names.map((name) => ({ name, edits: editsBetween(given.toLowerCase(), name.toLowerCase()) }));
  const [best] = near.sort((one, other) => one.edits - other.edits);
  return best && best.edits <= Math.max(2, given.length / 4) ? best.name : undefined;
}

/** Levenshtein's distance. */
function editsBetween(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...one].entries()) {
    const here = [row + 1];
    for (const [column, expected] of [...other].entries()) {
      const replaced = (above[column] ?? 0) + (letter === expected ? 0 : 1);
      here.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (here[column] ?? 0) + 1));
    }
    above = here;
  }
  return above.at(-1) ?? 0;
}
