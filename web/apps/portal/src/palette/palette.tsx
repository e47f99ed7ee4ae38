/**
 * The palette of a tenant: its pages, what can be done, and what the server finds.
 */
import { chooseDensity, chooseTheme, CommandPalette, DENSITIES, THEMES, type CommandGroup } from '@tandem/ui';
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES } from '@tandem/ui/i18n';
import { useRouter } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import type { Area } from '../navigation/table';
import { useLeave } from '../session/leave';
import { useTenant } from '../tenant';
import { findEverywhere } from './sources';

interface PaletteProps {
  areas: readonly Area[];
  onClose: () => void;
  onHelp: () => void;
}

export function Palette({ areas, onClose, onHelp }: PaletteProps) {
  const { t } = useTranslation();
  const router = useRouter();
  const leave = useLeave();
  const { tenant, path, mayChange } = useTenant();
  const open = useCallback((rest: string) => router.history.push(path(rest)), [router, path]);

  const groups: CommandGroup[] = useMemo(
    () => [
      {
        title: t('palette.pages'),
        commands: areas.map(({ rest, title }) => ({
          id: `page ${rest}`,
          label: t(title),
          run: () => open(rest),
        })),
      },
      {
        title: t('palette.actions'),
        commands: [
          ...areas.flatMap(({ rest, create }) =>
            create && mayChange
              ? [{ id: `new ${rest}`, label: t(create), run: () => open(`${rest}/new`) }]
              : [],
          ),
          ...THEMES.map((theme) => ({
            id: `theme ${theme}`,
            label: `${t('menu.theme')}: ${t(`theme.${theme}`)}`,
            run: () => chooseTheme(theme),
          })),
          ...DENSITIES.map((density) => ({
            id: `density ${density}`,
            label: `${t('menu.density')}: ${t(`density.${density}`)}`,
            run: () => chooseDensity(density),
          })),
          ...LANGUAGES.map((language) => ({
            id: `language ${language}`,
            label: `${t('menu.language')}: ${LANGUAGE_NAMES[language]}`,
            run: () => void chooseLanguage(language),
          })),
          { id: 'help', label: t('palette.help'), run: onHelp },
          {
            id: 'password',
            label: t('menu.password'),
            run: () => router.history.push('/set-password'),
          },
          { id: 'sign-out', label: t('menu.sign_out'), run: leave },
        ],
      },
    ],
    [t, areas, mayChange, open, onHelp, router, leave],
  );
  const search = useCallback(
    (text: string) => findEverywhere(text, { tenant: tenant.id, title: (key) => t(key), open }),
    [tenant.id, t, open],
  );
  return <CommandPalette groups={groups} search={search} onClose={onClose} />;
}
