/**
 * The texts of the gallery. They are no part of the portal's own, which everybody has to load.
 */
import { useTranslation } from 'react-i18next';

import de from './words.de.json';
import en from './words.en.json';

export function useWords(): typeof en {
  return useTranslation().i18n.language === 'de' ? de : en;
}
