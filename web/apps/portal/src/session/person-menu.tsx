/**
 * The signed-in person: theme, density, language, password, sign out.
 */
import { useSession, type SessionUser } from '@tandem/api';
import {
  Button,
  chooseDensity,
  chooseTheme,
  DENSITIES,
  Dropdown,
  Header,
  THEMES,
  useDensity,
  useTheme,
  type Density,
  type Theme,
} from '@tandem/ui';
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES, type Language } from '@tandem/ui/i18n';
import { useRouter } from '@tanstack/react-router';
import { ChevronsUpDown, KeyRound, LogOut, Monitor, Moon, ShieldCheck, Sun } from 'lucide-react';

import { useTranslation } from 'react-i18next';

import { useLeave } from './leave';

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

export function PersonMenu({ user }: { user: SessionUser }) {
  const { t, i18n } = useTranslation();
  const router = useRouter();
  const theme = useTheme();
  const density = useDensity();
  const leave = useLeave();
  // Whoever a provider vouched for has nothing to change here.
  const own = !useSession().data?.sign_on;
  const name = `${user.first_name} ${user.last_name}`.trim() || user.email;
  const heading = 'px-2 pt-2 pb-1 text-xs text-muted';
  return (
    <Dropdown>
      <Button
        variant="ghost"
        fullWidth
        className="h-auto min-h-11 justify-between px-2 py-1.5 text-start"
        aria-label={t('menu.person', { name })}
      >
        <span className="min-w-0">
          <span className="block truncate">{name}</span>
          <span className="block truncate text-xs font-normal text-muted">{user.email}</span>
        </span>
        <ChevronsUpDown className="text-muted" aria-hidden />
      </Button>
      <Dropdown.Popover placement="top start" className="min-w-56">
        <Dropdown.Menu
          aria-label={t('menu.person', { name })}
          onAction={(key) => {
            if (key === 'security') router.history.push('/security');
            if (key === 'password') router.history.push('/set-password');
            if (key === 'sign-out') leave();
          }}
        >
          <Dropdown.Section
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[theme]}
            onSelectionChange={(keys) => chooseTheme([...keys][0] as Theme)}
          >
            <Header className={heading}>{t('menu.theme')}</Header>
            {THEMES.map((choice) => {
              const Picture = THEME_ICONS[choice];
              return (
                <Dropdown.Item key={choice} id={choice} textValue={t(`theme.${choice}`)}>
                  <Dropdown.ItemIndicator />
                  <Picture className="size-4 text-muted" aria-hidden />
                  {t(`theme.${choice}`)}
                </Dropdown.Item>
              );
            })}
          </Dropdown.Section>
          <Dropdown.Section
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[density]}
            onSelectionChange={(keys) => chooseDensity([...keys][0] as Density)}
          >
            <Header className={heading}>{t('menu.density')}</Header>
            {DENSITIES.map((choice) => (
              <Dropdown.Item key={choice} id={choice} textValue={t(`density.${choice}`)}>
                <Dropdown.ItemIndicator />
                {t(`density.${choice}`)}
              </Dropdown.Item>
            ))}
          </Dropdown.Section>
          <Dropdown.Section
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[i18n.language]}
            onSelectionChange={(keys) => void chooseLanguage([...keys][0] as Language)}
          >
            <Header className={heading}>{t('menu.language')}</Header>
            {LANGUAGES.map((language) => (
              <Dropdown.Item key={language} id={language} textValue={LANGUAGE_NAMES[language]}>
                <Dropdown.ItemIndicator />
                <span lang={language}>{LANGUAGE_NAMES[language]}</span>
              </Dropdown.Item>
            ))}
          </Dropdown.Section>
          <Dropdown.Section aria-label={t('menu.session')}>
            <Dropdown.Item id="security" textValue={t('menu.security')}>
              <ShieldCheck className="size-4 text-muted" aria-hidden />
              {t('menu.security')}
            </Dropdown.Item>
            {own && (
              <Dropdown.Item id="password" textValue={t('menu.password')}>
                <KeyRound className="size-4 text-muted" aria-hidden />
                {t('menu.password')}
              </Dropdown.Item>
            )}
            <Dropdown.Item id="sign-out" textValue={t('menu.sign_out')}>
              <LogOut className="size-4 text-muted" aria-hidden />
              {t('menu.sign_out')}
            </Dropdown.Item>
          </Dropdown.Section>
        </Dropdown.Menu>
      </Dropdown.Popover>
    </Dropdown>
  );
}
