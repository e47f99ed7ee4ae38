/**
 * Asks before a page is left on which something would be lost: within the portal, and by the browser itself.
 *
 * Also while a form is being saved: the server may refuse it, and then nobody would be there to mend it.
 */
import { useBlocker } from '@tanstack/react-router';
import { lazy, useRef } from 'react';

import { Later } from '../pages/later';

// Only when somebody is about to leave; it brings the dialogs.
const LeaveDialog = lazy(async () => ({ default: (await import('./leave-dialog')).LeaveDialog }));

/** What would be lost: what was typed, or what is told only this once. */
export type Lost = 'typed' | 'told';

interface LeaveGuardProps {
  lost?: Lost;
  /** Whether nothing is lost any more. */
  isKept?: () => boolean;
}

const never = () => false;

export function LeaveGuard({ lost = 'typed', isKept = never }: LeaveGuardProps) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: () => !isKept(),
    enableBeforeUnload: () => !isKept(),
    withResolver: true,
  });
  if (status !== 'blocked') return null;
  return (
    <Later onMissing={reset}>
      <LeaveDialog lost={lost} onStay={reset} onLeave={proceed} />
    </Later>
  );
}

/** For what is told only once: whether somebody has taken it along, which may happen on the way out. */
export function useKept(): { isKept: () => boolean; onKept: () => void } {
  const kept = useRef(false);
  return {
    isKept: () => kept.current,
    onKept: () => {
      kept.current = true;
    },
  };
}
