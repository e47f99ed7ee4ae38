/**
 * Confirming a sign-up by the link of the mail. A button, because programs that look at mails follow links.
 */
import { useConfirmSignUp } from '@tandem/api';
import { useRouter } from '@tanstack/react-router';
import { Button, Notice, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/form';
import { messagesOf } from '../forms/refused';
import { IncompleteLink } from '../recovery/incomplete';
import { useLinkToken } from '../recovery/token';
import { Welcome } from '../session/welcome';

export function ConfirmSignUpPage() {
  const token = useLinkToken();
  return token ? <Confirm token={token} /> : <IncompleteLink />;
}

function Confirm({ token }: { token: string }) {
  const { t } = useTranslation();
  const router = useRouter();
  const confirm = useConfirmSignUp();
  const errorText = useErrorText();
  const refused = confirm.error && errorText(messagesOf(confirm.error, []).whole);
  useTitle(t('sign_up.confirm_title'));
  return (
    <Welcome title={t('sign_up.confirm_title')} lead={t('sign_up.confirm_lead')}>
      <div className="flex flex-col gap-5">
        <Button
          fullWidth
          isPending={confirm.isPending}
          onPress={() => confirm.mutate(token, { onSuccess: () => router.history.replace('/') })}
        >
          {t('sign_up.confirm')}
        </Button>
        {refused && (
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        )}
      </div>
    </Welcome>
  );
}
