/**
 * A password of one's own, twice, in any form that has `password` and `repeated`.
 */
import { useTranslation } from 'react-i18next';

import { z } from '../forms/checks';
import { PasswordField } from '../forms/form';

const SHORTEST = 12;

/** The two fields of a form that has no others. */
export const newPassword = z.object(passwordFields()).check(sameTwice());

export function passwordFields() {
  return {
    password: z
      .string()
      .check(z.minLength(SHORTEST, 'invalid.password'), z.maxLength(200, 'invalid.too_long')),
    repeated: z.string().check(z.minLength(1, 'invalid.required')),
  };
}

export function sameTwice() {
  return z.refine<{ password: string; repeated: string }>((form) => form.repeated === form.password, {
    message: 'invalid.repeated',
    path: ['repeated'],
  });
}

/** `first`: the person has none here yet, so none is replaced. */
export function NewPasswordFields({ first = false }: { first?: boolean }) {
  const { t } = useTranslation();
  return (
    <>
      <PasswordField
        name="password"
        label={t(first ? 'set_password.first' : 'set_password.new')}
        description={t('set_password.rule', { shortest: SHORTEST })}
        autoComplete="new-password"
      />
      <PasswordField
        name="repeated"
        label={t(first ? 'set_password.first_repeated' : 'set_password.repeated')}
        autoComplete="new-password"
      />
    </>
  );
}
