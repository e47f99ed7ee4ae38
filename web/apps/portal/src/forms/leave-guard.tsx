/**
 * Asks before a page is left whose form was changed and not saved: within the portal, and by the browser itself.
 */
import { useBlocker } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';

// Only when somebody is about to leave; it brings the dialogs.
const LeaveDialog = lazy(async () => ({ default: (await import('./leave-dialog')).LeaveDialog }));

export function LeaveGuard({ unsaved }: { unsaved: boolean }) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: () => unsaved,
    enableBeforeUnload: () => unsaved,
    withResolver: true,
  });
  if (status !== 'blocked') return null;
  return (
    <Suspense>
      <LeaveDialog onStay={reset} onLeave={proceed} />
    </Suspense>
  );
}
