/**
 * Two people changed the same thing: what the other one changed, field by field, and putting both together.
 */

/** A field that the other person changed and that is not the same as mine. */
export interface Conflict<Values> {
  name: keyof Values & string;
  mine: Values[keyof Values];
  theirs: Values[keyof Values];
  /** I changed it too; otherwise nothing of mine is lost by taking theirs. */
  both: boolean;
}

export type Side = 'mine' | 'theirs';

/** Compares what was read first (`base`), what I made of it and what is there now. */
export function conflictsOf<Values extends object>(
  names: readonly (keyof Values & string)[],
  { base, mine, theirs }: { base: Values; mine: Values; theirs: Values },
): Conflict<Values>[] {
  return names
    .filter((name) => !same(theirs[name], base[name]) && !same(theirs[name], mine[name]))
    .map((name) => ({
      name,
      mine: mine[name],
      theirs: theirs[name],
      both: !same(mine[name], base[name]),
    }));
}

/** What is proposed: my own changes stay, theirs are taken where I changed nothing. */
export function proposal<Values>(conflicts: readonly Conflict<Values>[]): Record<string, Side> {
  return Object.fromEntries(conflicts.map(({ name, both }) => [name, both ? 'mine' : 'theirs']));
}

// Values of forms are plain data, and their fields always come in the same order.
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
