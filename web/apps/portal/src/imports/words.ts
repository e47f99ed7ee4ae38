/**
 * What the fields of a contact are called where an import speaks of them.
 */
import { useTranslation } from 'react-i18next';

import { fieldOf } from './model';

/** `email_2` as *E-mail 2*; what is no field of ours, such as a heading of the file, stays as it is. */
export function useFieldTitle(): (name: string) => string {
  const { t, i18n } = useTranslation();
  return (name) => {
    const field = fieldOf(name);
    if (field && 'part' in field) return t(`imports.part.${field.part}`, { number: field.number });
    return i18n.exists(`imports.field.${name}`) ? t(`imports.field.${name as 'company'}`) : name;
  };
}
