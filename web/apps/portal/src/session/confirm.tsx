/**
 * Over whatever page is open when the server wants the person to prove anew who they are. What they were about to do
 * goes on by itself afterwards.
 */
import { confirmation, useConfirm, useConfirmAtProvider, useSession } from '@tandem/api';
import { Button, Dialog, Notice } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { z } from '../forms/checks';
import { useErrorText } from '../forms/error-text';
import { Form, PasswordField } from '../forms/form';
import { messagesOf } from '../forms/refused';
import { useSavedForm } from '../forms/saved-form';
import { CodeField } from './code-field';

export function Confirm() {
  const { t } = useTranslation();
  return (
    <Dialog title={t('confirm.title')} open onClose={() => confirmation.answer(false)}>
      <div className="flex flex-col gap-5">
        <Proof />
      </div>
    </Dialog>
  );
}

function Proof() {
  const { t } = useTranslation();
  const provider = useSession().data?.sign_on?.provider;
  if (provider !== undefined) return <AtProvider provider={provider} />;
  return (
    <>
      <p>{t('confirm.lead')}</p>
      <ConfirmForm />
    </>
  );
}

/** Who vouched for the person asks them again. That leaves the page, so nothing goes on by itself. */
function AtProvider({ provider }: { provider: string }) {
  const { t } = useTranslation();
  const begin = useConfirmAtProvider();
  const errorText = useErrorText();
  const refused = begin.error && errorText(messagesOf(begin.error, []).whole);
  const { pathname, search } = window.location;
  return (
    <>
      <p>{t('sign_on.confirm_lead', { provider })}</p>
      {refused && (
        <Notice tone="danger" alert>
          {refused}
        </Notice>
      )}
      <Button
        isPending={begin.isPending || begin.isSuccess}
        onPress={() =>
          begin.mutate(pathname + search, { onSuccess: ({ address }) => window.location.assign(address) })
        }
      >
        {t('sign_on.confirm_at', { provider })}
      </Button>
    </>
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
