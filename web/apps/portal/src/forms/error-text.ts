/**
 * What is said of something that was refused, in the person's language.
 */
import { useTranslation } from 'react-i18next';

import { useSentence } from '../refusals/use-sentence';

/** A key below `invalid` or `refused` becomes its text, a sentence of the server is translated. Several stand in lines. */
export function useErrorText() {
  const { t, i18n } = useTranslation();
  const sentence = useSentence();
  const one = (message: string) =>
    i18n.exists(message) ? t(message as 'invalid.required') : sentence(message);
  return (message: string | undefined): string | undefined => message?.split('\n').map(one).join(' ');
}
