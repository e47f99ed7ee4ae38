/**
 * The time, for words such as *3 minutes ago* that become wrong while somebody looks at them.
 */
import { useSyncExternalStore } from 'react';

const EVERY_MS = 30_000;

let now = new Date();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick() {
  now = new Date();
  for (const listener of listeners) listener();
}

// One function for all, so that React does not subscribe anew with every render.
function subscribe(listener: () => void) {
  if (listeners.size === 0) {
    now = new Date();
    timer = setInterval(tick, EVERY_MS);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => now);
}
