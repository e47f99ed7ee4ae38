/**
 * Asking for a link to a new password. What is shown afterwards is the same for every address.
 */
import { useForgotPassword } from '@tandem/api';
import { ButtonLink, Notice, useTitle } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { Form, TextField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { Welcome } from '../session/welcome';

const schema = z.object({ email: requiredText(254) });

export function ForgotPasswordPage() {
  const { t } = useTranslation();
  const ask = useForgotPassword();
  const [asked, setAsked] = useState('');
  const form = useSavedForm({
    schema,
    values: { email: '' },
    save: async ({ email }) => {
      await ask.mutateAsync(email);
      setAsked(email);
    },
  });
  useTitle(t('forgot.title'));
  return (
    <Welcome title={t('forgot.title')} lead={t('forgot.lead')}>
      <div className="flex flex-col gap-5">
        {asked === '' ? (
          <Form {...form} passing action={t('forgot.action')} wide>
            <TextField
              name="email"
              type="email"
              label={t('sign_in.email')}
              autoComplete="username"
              autoFocus
              technical
            />
          </Form>
        ) : (
          <Notice tone="good" alert>
            {t('forgot.sent', { email: asked })}
          </Notice>
        )}
        <ButtonLink href="/sign-in" variant="ghost">
          {t('link.to_sign_in')}
        </ButtonLink>
      </div>
    </Welcome>
  );
}
