/**
 * A choice that this browser keeps, known to every component that shows it.
 */
import { useSyncExternalStore } from 'react';

export interface Kept<Choice extends string> {
  now: () => Choice;
  choose: (choice: Choice) => void;
  /** Calls `paint` now and whenever the choice changes, here or in another tab. */
  start: (paint: (choice: Choice) => void) => void;
  use: () => Choice;
}

/** The first of `choices` is meant when nothing, or something unknown, was kept. */
export function kept<Choice extends string>(
  key: string,
  choices: readonly [Choice, ...Choice[]],
): Kept<Choice> {
  const listeners = new Set<() => void>();
  const now = () => known(choices, localStorage.getItem(key));
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    now,
    choose: (choice) => {
      localStorage.setItem(key, choice);
      tell();
    },
    start: (paint) => {
      listeners.add(() => paint(now()));
      window.addEventListener('storage', tell);
      paint(now());
    },
    use: () =>
      useSyncExternalStore((listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      }, now),
  };
}

export function known<Choice extends string>(
  choices: readonly [Choice, ...Choice[]],
  text: string | null,
): Choice {
  return choices.find((choice) => choice === text) ?? choices[0];
}
