/**
 * Theme and language, as two small menus for pages without the person's menu.
 */
import { Button, chooseTheme, Dropdown, THEMES, useTheme, type Theme } from '@tandem/ui';
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES, type Language } from '@tandem/ui/i18n';
import { Languages, Monitor, Moon, Sun } from 'lucide-react';
import { useTranslation } from 'react-i18next';

export const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

export function Preferences() {
  const { t, i18n } = useTranslation();
  const theme = useTheme();
  const Picture = THEME_ICONS[theme];
  return (
    <div className="no-print flex gap-1">
      <Dropdown>
        <Button isIconOnly variant="ghost" aria-label={t('menu.language')}>
          <Languages aria-hidden />
        </Button>
        <Dropdown.Popover placement="bottom end">
          <Dropdown.Menu
            aria-label={t('menu.language')}
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[i18n.language]}
            onAction={(key) => void chooseLanguage(key as Language)}
          >
            {LANGUAGES.map((language) => (
              <Dropdown.Item key={language} id={language} textValue={LANGUAGE_NAMES[language]}>
                <Dropdown.ItemIndicator />
                <span lang={language}>{LANGUAGE_NAMES[language]}</span>
              </Dropdown.Item>
            ))}
          </Dropdown.Menu>
        </Dropdown.Popover>
      </Dropdown>
      <Dropdown>
        <Button isIconOnly variant="ghost" aria-label={t('menu.theme')}>
          <Picture aria-hidden />
        </Button>
        <Dropdown.Popover placement="bottom end">
          <Dropdown.Menu
            aria-label={t('menu.theme')}
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[theme]}
            onAction={(key) => chooseTheme(key as Theme)}
          >
            {THEMES.map((choice) => (
              <Dropdown.Item key={choice} id={choice} textValue={t(`theme.${choice}`)}>
                <Dropdown.ItemIndicator />
                {t(`theme.${choice}`)}
              </Dropdown.Item>
            ))}
          </Dropdown.Menu>
        </Dropdown.Popover>
      </Dropdown>
    </div>
  );
}
