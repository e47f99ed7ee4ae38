/**
 * Dates in the person's language and time zone.
 */
import { useTranslation } from 'react-i18next';

export function useDate(): (at: string) => string {
  const { i18n } = useTranslation();
  const format = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium', timeStyle: 'short' });
  return (at) => format.format(new Date(at));
}
