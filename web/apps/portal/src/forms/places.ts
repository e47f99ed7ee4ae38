/**
 * The places of a form where it can be said that something is wrong, by the name of the field or list.
 *
 * A message of the server that has no place is said of the whole form, so that none is ever lost.
 */
import { createContext, useContext, useEffect } from 'react';

export class Places {
  readonly #shown = new Map<string, number>();

  /** There is a place now; the function that comes back says that it is gone. */
  add(name: string): () => void {
    this.#count(name, 1);
    return () => this.#count(name, -1);
  }

  /** Every name that has a place at the moment. */
  names(): string[] {
    return [...this.#shown.keys()];
  }

  // One name may have two for a moment, while one component takes the place of another.
  #count(name: string, change: number): void {
    const count = (this.#shown.get(name) ?? 0) + change;
    if (count > 0) this.#shown.set(name, count);
    else this.#shown.delete(name);
  }
}

export const PlacesContext = createContext<Places | undefined>(undefined);

/** Tells the form around it that the errors of `name` are shown, as long as this is. */
export function usePlace(name: string): void {
  const places = useContext(PlacesContext);
  useEffect(() => places?.add(name), [places, name]);
}
