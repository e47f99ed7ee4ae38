/**
 * Over whatever page is open when the session ends. The page stays as it is, with all that was typed.
 */
import { useQueryClient } from '@tanstack/react-query';
import { sessionQuery, type Session } from '@tandem/api';
import { Button, Dialog } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { AgainForm } from './again-form';
import { sessionEnded } from './ended';

/** The provider that vouched for them, and back to the same page. */
function signOnAddress({ tenants }: Session): string {
  const { pathname, search } = window.location;
  return `/sign-on/${tenants[0]?.slug ?? ''}?next=${encodeURIComponent(pathname + search)}`;
}

export function SignInAgain() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const before = queries.getQueryData<Session>(sessionQuery.queryKey);
  if (!before) return null;
  return (
    <Dialog title={t('again.title')} open>
      <div className="flex flex-col gap-5">
        <p>{t('again.lead')}</p>
        {before.sign_on && (
          <Button onPress={() => window.location.assign(signOnAddress(before))}>
            {t('sign_on.again', { provider: before.sign_on.provider })}
          </Button>
        )}
        <AgainForm
          email={before.user.email}
          onDone={async () => {
            sessionEnded.set(false);
            await queries.invalidateQueries();
          }}
        />
        <Button
          variant="ghost"
          onPress={() => {
            queries.clear();
            sessionEnded.set(false);
            window.location.assign('/sign-in');
          }}
        >
          {t('again.other')}
        </Button>
      </div>
    </Dialog>
  );
}
