/**
 * Why a sign-on does not work, in the person's language.
 */
import { Refusal } from '@tandem/api';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';

export function useReason() {
  const { t } = useTranslation();
  const errorText = useErrorText();
  return (error: unknown): string | undefined => {
    const reason = error instanceof Refusal ? error.problem?.reason : undefined;
    if (reason) return t(`sign_on.reason.${reason}`);
    if (error instanceof Refusal && error.status === 429) return t('refused.too_many');
    return errorText(messagesOf(error, []).whole);
  };
}
