/**
 * Over whatever page is open when the session ends. The page stays as it is, with all that was typed.
 */
import { useQueryClient } from '@tanstack/react-query';
import { isHalf, sessionQuery, useSignIn, type HalfSignIn, type Session } from '@tandem/api';
import { Button, Dialog } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { z } from '../forms/checks';
import { Form, PasswordField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { sessionEnded } from './ended';
import { SecondStep } from './second-step';
import { signInRefusal } from './sign-in-refusal';

const schema = z.object({ password: z.string().check(z.minLength(1, 'invalid.required')) });

export function SignInAgain() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const before = queries.getQueryData<Session>(sessionQuery.queryKey);
  if (!before) return null;
  return (
    <Dialog title={t('again.title')} open>
      <div className="flex flex-col gap-5">
        <p>{t('again.lead')}</p>
        <AgainForm email={before.user.email} />
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

function AgainForm({ email }: { email: string }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const signIn = useSignIn();
  const [half, setHalf] = useState<HalfSignIn>();
  const goOn = async () => {
    sessionEnded.set(false);
    await queries.invalidateQueries();
  };
  const form = useSavedForm({
    schema,
    values: { password: '' },
    save: async ({ password }) => {
      const answer = await signInRefusal(signIn.mutateAsync({ email, password }));
      if (isHalf(answer)) setHalf(answer);
      else await goOn();
    },
  });
  if (half) return <SecondStep half={half} onDone={goOn} onBack={() => setHalf(undefined)} />;
  return (
    <Form {...form} passing action={t('sign_in.action')} wide>
      <p className="font-medium break-all text-foreground">{email}</p>
      <PasswordField
        name="password"
        label={t('sign_in.password')}
        autoComplete="current-password"
        autoFocus
      />
    </Form>
  );
}
