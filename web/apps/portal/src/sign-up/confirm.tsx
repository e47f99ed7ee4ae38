/**
 * Confirming a sign-up by the link of the mail, and by the password that was chosen: the mail may have been asked for by
 * somebody else, with a password of theirs.
 */
import { useConfirmSignUp } from '@tandem/api';
import { useRouter } from '@tanstack/react-router';
import { Link, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { z } from '../forms/checks';
import { Form, PasswordField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { IncompleteLink } from '../recovery/incomplete';
import { useLinkToken } from '../recovery/token';
import { Welcome } from '../session/welcome';

const schema = z.object({ password: z.string().check(z.minLength(1, 'invalid.required')) });

export function ConfirmSignUpPage() {
  const token = useLinkToken();
  return token ? <Confirm token={token} /> : <IncompleteLink />;
}

function Confirm({ token }: { token: string }) {
  const { t } = useTranslation();
  const router = useRouter();
  const confirm = useConfirmSignUp();
  const form = useSavedForm({
    schema,
    values: { password: '' },
    save: async ({ password }) => {
      await confirm.mutateAsync({ token, password });
      router.history.replace('/');
    },
  });
  useTitle(t('sign_up.confirm_title'));
  return (
    <Welcome title={t('sign_up.confirm_title')} lead={t('sign_up.confirm_lead')}>
      <Form {...form} passing action={t('sign_up.confirm')} wide>
        <PasswordField
          name="password"
          label={t('sign_up.confirm_password')}
          autoComplete="current-password"
          autoFocus
        />
      </Form>
      <p className="mt-5 text-center text-sm">
        <Link href="/sign-up" className="link">
          {t('sign_up.confirm_anew')}
        </Link>
      </p>
    </Welcome>
  );
}
