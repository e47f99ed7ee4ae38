/**
 * Confirming a new e-mail address by the link of a mail. A button, because programs that look at mails follow links.
 */
import { useConfirmEmail } from '@tandem/api';
import { Button, ButtonLink, Notice, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { Welcome } from '../session/welcome';
import { IncompleteLink } from './incomplete';
import { useLinkToken } from './token';

export function NewAddressPage() {
  const token = useLinkToken();
  return token ? <NewAddress token={token} /> : <IncompleteLink />;
}

function NewAddress({ token }: { token: string }) {
  const { t } = useTranslation();
  const confirm = useConfirmEmail();
  const errorText = useErrorText();
  const refused = confirm.error && errorText(messagesOf(confirm.error, []).whole);
  useTitle(t('new_address.title'));
  return (
    <Welcome title={t('new_address.title')} lead={t('new_address.lead')}>
      <div className="flex flex-col gap-5">
        {confirm.isSuccess ? (
          <>
            <Notice tone="good" alert>
              {t('new_address.done')}
            </Notice>
            <ButtonLink href="/">{t('not_found.action')}</ButtonLink>
          </>
        ) : (
          <Button isPending={confirm.isPending} onPress={() => confirm.mutate(token)}>
            {t('new_address.action')}
          </Button>
        )}
        {refused && (
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        )}
      </div>
    </Welcome>
  );
}
