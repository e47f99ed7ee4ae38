/**
 * The token of a link in a mail: behind the `#`, where no server and no log sees it.
 */
import { useSyncExternalStore } from 'react';

/** The token, or '' when the link is incomplete. */
export function useLinkToken(): string {
  return useSyncExternalStore(onHashChange, () => tokenOf(window.location.hash));
}

export function tokenOf(fragment: string): string {
  const token = fragment.replace(/^#/, '');
  return /^[\w-]{43}$/.test(token) ? token : '';
}

function onHashChange(listener: () => void) {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}
