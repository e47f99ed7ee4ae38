/**
 * Over whatever page is open when the server wants the person to prove anew who they are. What they were about to do
 * goes on by itself afterwards.
 */
import { confirmation, useConfirm, useSession } from '@tandem/api';
import { Dialog } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { z } from '../forms/checks';
import { Form, PasswordField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { CodeField } from './code-field';

export function Confirm() {
  const { t } = useTranslation();
  return (
    <Dialog title={t('confirm.title')} open onClose={() => confirmation.answer(false)}>
      <div className="flex flex-col gap-5">
        <p>{t('confirm.lead')}</p>
        <ConfirmForm />
      </div>
    </Dialog>
  );
}

function ConfirmForm() {
  const { t } = useTranslation();
  const session = useSession().data;
  const confirm = useConfirm();
  const both = session?.second_factor ?? false;
  const form = useSavedForm({
    schema: z.object({
      password: z.string().check(z.minLength(1, 'invalid.required')),
      code: both ? z.string().check(z.minLength(1, 'invalid.required')) : z.string(),
    }),
    values: { password: '', code: '' },
    save: async ({ password, code }) => {
      await confirm.mutateAsync({ password, ...(both ? { code } : {}) });
      confirmation.answer(true);
    },
  });
  return (
    <Form {...form} passing action={t('confirm.action')} wide>
      <p className="font-medium break-all text-foreground">{session?.user.email}</p>
      <PasswordField
        name="password"
        label={t('sign_in.password')}
        autoComplete="current-password"
        autoFocus
      />
      {both && <CodeField />}
    </Form>
  );
}
