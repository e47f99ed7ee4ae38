/**
 * Lists that must be read anew, told together: the first at once, what follows within a second at its end.
 *
 * Where much is written, such as an import, a page would otherwise do nothing but read.
 */
import type { LiveFrame, LiveList } from './types';

export const ALL_LISTS: readonly LiveList[] = [
  'providers',
  'accounts',
  'contacts',
  'devices',
  'calls',
  'webhooks',
];

/**
 * The lists that a frame makes stale.
 *
 * What happened while there was no channel is told by nobody, so after `missed` a snapshot makes all of them stale. The first snapshot
 * comes a moment after the lists were read; only calls come more often than that.
 */
export function staleBy(frame: LiveFrame, missed: boolean): readonly LiveList[] {
  if (frame.type === 'delta') return frame.lists ?? [];
  if (!frame.last) return [];
  return missed ? ALL_LISTS : ['calls'];
}

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
