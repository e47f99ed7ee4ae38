/**
 * Choosing a new password by the link of a mail.
 */
import { useNewPassword } from '@tandem/api';
import { useRouter } from '@tanstack/react-router';
import { toast, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { Form } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { Welcome } from '../session/welcome';
import { IncompleteLink } from './incomplete';
import { NewPasswordFields, newPassword } from './password-fields';
import { useLinkToken } from './token';

export function NewPasswordPage() {
  const token = useLinkToken();
  return token ? <NewPassword token={token} /> : <IncompleteLink />;
}

function NewPassword({ token }: { token: string }) {
  const { t } = useTranslation();
  const router = useRouter();
  const set = useNewPassword();
  const form = useSavedForm({
    schema: newPassword,
    values: { password: '', repeated: '' },
    save: async ({ password }) => {
      await set.mutateAsync({ token, password });
      toast.success(t('set_password.done'));
      router.history.replace('/sign-in');
    },
  });
  useTitle(t('set_password.title'));
  return (
    <Welcome title={t('set_password.title')} lead={t('new_password.lead')}>
      <Form {...form} passing action={t('set_password.action')} wide>
        <NewPasswordFields />
      </Form>
    </Welcome>
  );
}
