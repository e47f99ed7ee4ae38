/**
 * Theme and language, for pages without the person's menu. The browser's own lists: these pages are the first that
 * anybody loads.
 */
import { chooseTheme, THEMES, useTheme, type Theme } from '@tandem/ui';
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES, type Language } from '@tandem/ui/i18n';
import { useTranslation } from 'react-i18next';

export function Preferences() {
  const { t, i18n } = useTranslation();
  const theme = useTheme();
  const look =
    'focusable h-9 min-w-0 cursor-pointer rounded-lg bg-transparent px-2 text-sm text-ellipsis text-muted pointer-coarse:h-11';
  return (
    <div className="no-print flex min-w-0 gap-1">
      <select
        aria-label={t('menu.language')}
        className={look}
        value={i18n.language}
        onChange={({ target }) => void chooseLanguage(target.value as Language)}
      >
        {LANGUAGES.map((language) => (
          <option key={language} value={language} lang={language}>
            {LANGUAGE_NAMES[language]}
          </option>
        ))}
      </select>
      <select
        aria-label={t('menu.theme')}
        className={look}
        value={theme}
        onChange={({ target }) => chooseTheme(target.value as Theme)}
      >
        {THEMES.map((choice) => (
          <option key={choice} value={choice}>
            {t(`theme.${choice}`)}
          </option>
        ))}
      </select>
    </div>
  );
}
