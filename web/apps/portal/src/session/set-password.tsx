/**
 * A new password: forced after a one-time password, by choice from the person's menu.
 */
import { Refusal, useSession, useSetPassword } from '@tandem/api';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { toast, useTitle } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { z } from '../forms/checks';
import { Form, PasswordField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { nextPath } from './next';
import { Welcome } from './welcome';

const route = getRouteApi('/set-password');

const SHORTEST = 12;

/** `asks`: whether the password of before is asked for. */
const schemaOf = (asks: boolean) =>
  z
    .object({
      current: asks ? z.string().check(z.minLength(1, 'invalid.required')) : z.string(),
      new: z.string().check(z.minLength(SHORTEST, 'invalid.password'), z.maxLength(200, 'invalid.too_long')),
      repeated: z.string().check(z.minLength(1, 'invalid.required')),
    })
    .check(
      z.refine((form) => form.repeated === form.new, { message: 'invalid.repeated', path: ['repeated'] }),
      z.refine((form) => form.new !== form.current, { message: 'invalid.same_password', path: ['new'] }),
    );

/** The server wants to know the password of before. */
function asksForCurrent(error: unknown): boolean {
  return error instanceof Refusal && error.fields.some(({ field }) => field === 'current');
}

export function SetPasswordPage() {
  const { t } = useTranslation();
  const router = useRouter();
  const { next } = route.useSearch();
  const forced = useSession().data?.must_set_password ?? false;
  const setPassword = useSetPassword();
  // Whoever has signed in with the one-time password a moment ago has just entered it.
  const [isOld, setOld] = useState(false);
  const asks = !forced || isOld;
  const form = useSavedForm({
    schema: schemaOf(asks),
    values: { current: '', new: '', repeated: '' },
    save: async (values) => {
      const current = asks ? values.current : undefined;
      try {
        await setPassword.mutateAsync({ current, new: values.new });
      } catch (error) {
        setOld(isOld || asksForCurrent(error));
        throw error;
      }
      toast.success(t('set_password.done'));
      router.history.replace(nextPath(next));
    },
  });
  useTitle(t('set_password.title'));
  return (
    <Welcome title={t('set_password.title')} lead={t(forced ? 'set_password.forced' : 'set_password.lead')}>
      <Form
        {...form}
        passing
        action={t('set_password.action')}
        {...(forced ? {} : { cancel: nextPath(next) })}
      >
        {asks && (
          <PasswordField
            name="current"
            label={t(forced ? 'set_password.one_time' : 'set_password.current')}
            autoComplete="current-password"
            autoFocus
          />
        )}
        <PasswordField
          name="new"
          label={t('set_password.new')}
          description={t('set_password.rule', { shortest: SHORTEST })}
          autoComplete="new-password"
          autoFocus={!asks}
        />
        <PasswordField name="repeated" label={t('set_password.repeated')} autoComplete="new-password" />
      </Form>
    </Welcome>
  );
}
