/**
 * The code of a second factor, in any form that has `code`.
 */
import { useTranslation } from 'react-i18next';

import { TextField } from '../forms/form';

export function CodeField({ autoFocus }: { autoFocus?: boolean }) {
  const { t } = useTranslation();
  return (
    <TextField
      name="code"
      label={t('second_step.code')}
      description={t('second_step.help')}
      autoComplete="one-time-code"
      autoFocus={autoFocus ?? false}
      technical
    />
  );
}
