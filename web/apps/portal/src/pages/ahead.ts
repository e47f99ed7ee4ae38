/**
 * Dialogs that are seldom needed, and needed most when they cannot be fetched any more.
 *
 * A server that was updated has only its newest pages. Whoever has one of the old ones open with something typed in it must still be
 * asked to sign in again, to confirm, to compare or not to leave.
 */
const DIALOGS = [
  () => import('../session/sign-in-again'),
  () => import('../session/confirm'),
  () => import('../forms/conflict-dialog'),
  () => import('../forms/leave-dialog'),
];

/** Fetches them once the page has nothing better to do. The function that comes back gives it up. */
export function loadAhead(): () => void {
  // Safari has no idle callbacks.
  if (!('requestIdleCallback' in window)) {
    const timer = setTimeout(load, 1000);
    return () => clearTimeout(timer);
  }
  const idle = window.requestIdleCallback(load);
  return () => window.cancelIdleCallback(idle);
}

function load() {
  // What is not there now is asked for again when it is needed, and missed then.
  for (const fetch of DIALOGS) fetch().catch(() => undefined);
}
