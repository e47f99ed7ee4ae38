/**
 * Signing in with an address that is known already.
 */
import { isHalf, useSignIn, type HalfSignIn } from '@tandem/api';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { z } from '../forms/checks';
import { Form, PasswordField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { SecondStep } from './second-step';
import { signInRefusal } from './sign-in-refusal';

const schema = z.object({ password: z.string().check(z.minLength(1, 'invalid.required')) });

interface AgainFormProps {
  email: string;
  onDone: () => void | Promise<void>;
}

export function AgainForm({ email, onDone }: AgainFormProps) {
  const { t } = useTranslation();
  const signIn = useSignIn();
  const [half, setHalf] = useState<HalfSignIn>();
  const form = useSavedForm({
    schema,
    values: { password: '' },
    save: async ({ password }) => {
      const answer = await signInRefusal(signIn.mutateAsync({ email, password }));
      if (isHalf(answer)) setHalf(answer);
      else await onDone();
    },
  });
  if (half) return <SecondStep half={half} onDone={() => onDone()} onBack={() => setHalf(undefined)} />;
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
