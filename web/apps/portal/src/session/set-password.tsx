/**
 * A new password: forced after a one-time password, by choice from the person's menu.
 */
import { useSession, useSetPassword } from '@tandem/api';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { toast, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { z } from '../forms/checks';
import { Form, PasswordField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { nextPath } from './next';
import { Welcome } from './welcome';

const route = getRouteApi('/set-password');

const SHORTEST = 12;

const schema = z
  .object({
    current: z.string().check(z.minLength(1, 'invalid.required')),
    new: z.string().check(z.minLength(SHORTEST, 'invalid.password'), z.maxLength(200, 'invalid.too_long')),
    repeated: z.string().check(z.minLength(1, 'invalid.required')),
  })
  .check(
    z.refine((form) => form.repeated === form.new, { message: 'invalid.repeated', path: ['repeated'] }),
    z.refine((form) => form.new !== form.current, { message: 'invalid.same_password', path: ['new'] }),
  );

export function SetPasswordPage() {
  const { t } = useTranslation();
  const router = useRouter();
  const { next } = route.useSearch();
  const forced = useSession().data?.must_set_password ?? false;
  const setPassword = useSetPassword();
  const form = useSavedForm({
    schema,
    values: { current: '', new: '', repeated: '' },
    save: async (values) => {
      await setPassword.mutateAsync({ current: values.current, new: values.new });
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
        <PasswordField
          name="current"
          label={t(forced ? 'set_password.one_time' : 'set_password.current')}
          autoComplete="current-password"
          autoFocus
        />
        <PasswordField
          name="new"
          label={t('set_password.new')}
          description={t('set_password.rule', { shortest: SHORTEST })}
          autoComplete="new-password"
        />
        <PasswordField name="repeated" label={t('set_password.repeated')} autoComplete="new-password" />
      </Form>
    </Welcome>
  );
}
