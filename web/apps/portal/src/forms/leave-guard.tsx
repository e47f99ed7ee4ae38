/**
 * Asks before a page is left on which something would be lost: within the portal, and by the browser itself.
 *
 * Also while it is being saved: the server may refuse it, and then nobody would be there to mend it.
 */
import { useBlocker } from '@tanstack/react-router';
import { lazy } from 'react';

import { Later } from '../pages/later';

// Only when somebody is about to leave; it brings the dialogs.
const LeaveDialog = lazy(async () => ({ default: (await import('./leave-dialog')).LeaveDialog }));

export function LeaveGuard() {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: () => true,
    enableBeforeUnload: true,
    withResolver: true,
  });
  if (status !== 'blocked') return null;
  return (
    <Later onMissing={reset}>
      <LeaveDialog onStay={reset} onLeave={proceed} />
    </Later>
  );
}
