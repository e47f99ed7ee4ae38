/**
 * Lists that must be read anew, told together: the first at once, what follows within a second at its end.
 *
 * Where much is written, such as an import, a page would otherwise do nothing but read.
 */
import type { LiveList } from './types';

export const ALL_LISTS: readonly LiveList[] = [
  'providers',
  'accounts',
  'contacts',
  'devices',
  'calls',
  'webhooks',
];

const PAUSE_MS = 1000;

export interface Gathered {
  add: (lists: readonly LiveList[]) => void;
  /** What is not yet told is dropped. */
  stop: () => void;
}

export function gatherLists(tell: (lists: ReadonlySet<LiveList>) => void): Gathered {
  let waiting = new Set<LiveList>();
  let pause: ReturnType<typeof setTimeout> | undefined;

  function flush() {
    pause = undefined;
    if (waiting.size === 0) return;
    const lists = waiting;
    waiting = new Set();
    pause = setTimeout(flush, PAUSE_MS);
    tell(lists);
  }

  return {
    add: (lists) => {
      for (const list of lists) waiting.add(list);
      if (pause === undefined) flush();
    },
    stop: () => clearTimeout(pause),
  };
}
