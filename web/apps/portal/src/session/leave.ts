/**
 * Signing out. The page is loaded anew so that nothing read before stays in memory.
 */
import { isSignedOut, useSignOut } from '@tandem/api';
import { toast } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

export function useLeave(): () => void {
  const { t } = useTranslation();
  const signOut = useSignOut();
  return () =>
    signOut.mutate(undefined, {
      onSuccess: () => window.location.assign('/sign-in'),
      onError: (error) => {
        if (isSignedOut(error)) window.location.assign('/sign-in');
        else toast.danger(t('refused.unreachable'));
      },
    });
}
