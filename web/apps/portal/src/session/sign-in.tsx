/**
 * Signing in with e-mail address and password, and a code of the second factor if there is one.
 */
import { isHalf, useSignIn, useSignUpOffer, type HalfSignIn, type Session } from '@tandem/api';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { Link, useTitle } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { Form, PasswordField, TextField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { Welcome } from './welcome';
import { nextPath } from './next';
import { SecondStep } from './second-step';
import { signInRefusal } from './sign-in-refusal';

const route = getRouteApi('/sign-in');

const schema = z.object({
  email: requiredText(254),
  password: z.string().check(z.minLength(1, 'invalid.required')),
});

export function SignInPage() {
  const { t } = useTranslation();
  const router = useRouter();
  const { next } = route.useSearch();
  const signIn = useSignIn();
  const mayComeNew = useSignUpOffer().data?.open ?? false;
  const [half, setHalf] = useState<HalfSignIn>();
  const enter = (session: Session) =>
    router.history.replace(
      session.must_set_password ? `/set-password?next=${encodeURIComponent(nextPath(next))}` : nextPath(next),
    );
  const form = useSavedForm({
    schema,
    values: { email: '', password: '' },
    save: async (values) => {
      const answer = await signInRefusal(signIn.mutateAsync(values));
      if (isHalf(answer)) setHalf(answer);
      else enter(answer);
    },
  });
  useTitle(t('sign_in.title'));
  if (half) {
    return (
      <Welcome title={t('second_step.title')} lead={t('second_step.lead')}>
        <SecondStep half={half} onDone={enter} onBack={() => setHalf(undefined)} />
      </Welcome>
    );
  }
  return (
    <Welcome title={t('sign_in.title')} lead={t('sign_in.lead')}>
      <Form {...form} passing action={t('sign_in.action')} wide>
        <TextField
          name="email"
          type="email"
          label={t('sign_in.email')}
          autoComplete="username"
          autoFocus
          technical
        />
        <PasswordField name="password" label={t('sign_in.password')} autoComplete="current-password" />
      </Form>
      <p className="mt-5 flex flex-wrap justify-center gap-x-6 gap-y-2 text-sm">
        <Link href="/forgot-password" className="link">
          {t('sign_in.forgot')}
        </Link>
        <Link href={next ? `/sign-on?next=${encodeURIComponent(next)}` : '/sign-on'} className="link">
          {t('sign_on.link')}
        </Link>
        {mayComeNew && (
          <Link href="/sign-up" className="link">
            {t('sign_up.link')}
          </Link>
        )}
      </p>
    </Welcome>
  );
}
