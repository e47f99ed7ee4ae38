/**
 * Moving things in a list.
 */

/** `ids` with the one at `from` put at `to`. */
export function moved(ids: readonly string[], from: number, to: number): string[] {
  const rest = ids.filter((_, index) => index !== from);
  const id = ids[from];
  return id === undefined ? [...ids] : [...rest.slice(0, to), id, ...rest.slice(to)];
}
