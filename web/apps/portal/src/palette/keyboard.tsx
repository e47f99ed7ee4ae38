/**
 * What the keyboard can do on every page of a tenant, and the two windows it opens.
 */
import { Button, Keys, useShortcut } from '@tandem/ui';
import { useRouter } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { lazy, Suspense, useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Area } from '../navigation/table';
import { useTenant } from '../tenant';

const Palette = lazy(async () => ({ default: (await import('./palette')).Palette }));
const Help = lazy(async () => ({ default: (await import('./help')).ShortcutHelp }));

export function Keyboard({ areas }: { areas: readonly Area[] }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<'palette' | 'help'>();
  const close = useCallback(() => setShown(undefined), []);
  const help = useCallback(() => setShown('help'), []);
  const group = t('shortcuts.general');
  useShortcut({
    keys: 'mod+k',
    label: t('palette.open'),
    group,
    everywhere: true,
    run: () => setShown('palette'),
  });
  useShortcut({ keys: '?', label: t('palette.help'), group, run: help });
  return (
    <>
      <Button
        variant="secondary"
        fullWidth
        className="justify-between px-2.5 font-normal text-muted"
        onPress={() => setShown('palette')}
        aria-label={t('palette.open')}
      >
        <span className="flex min-w-0 items-center gap-2">
          <Search className="size-4 shrink-0" aria-hidden />
          <span className="truncate max-lg:hidden">{t('palette.button')}</span>
        </span>
        <span className="shrink-0 max-lg:hidden">
          <Keys keys="mod+k" />
        </span>
      </Button>
      {areas.map((area) => area.key && <GoTo key={area.rest} area={area} />)}
      <Suspense>
        {shown === 'palette' && <Palette areas={areas} onClose={close} onHelp={help} />}
        {shown === 'help' && <Help onClose={close} />}
      </Suspense>
    </>
  );
}

function GoTo({ area }: { area: Area }) {
  const { t } = useTranslation();
  const router = useRouter();
  const { path } = useTenant();
  useShortcut({
    keys: `g>${area.key}`,
    label: t(area.title),
    group: t('shortcuts.go'),
    run: () => router.history.push(path(area.rest)),
  });
  return null;
}
