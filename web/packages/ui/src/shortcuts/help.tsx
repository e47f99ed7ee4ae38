/**
 * All shortcuts of the page that is shown.
 */
import { useTranslation } from 'react-i18next';

import { Dialog } from '../dialogs/dialog';
import { Keys } from './keys';
import { useShortcuts } from './shortcuts';

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('ui');
  const shortcuts = useShortcuts();
  const groups = [...new Set(shortcuts.map(({ group }) => group))];
  return (
    <Dialog title={t('shortcuts.title')} open onClose={onClose}>
      <div className="flex flex-col gap-5">
        {groups.map((group) => (
          <section key={group} aria-label={group}>
            <h3 className="mb-1 text-sm font-semibold text-foreground">{group}</h3>
            <dl className="divide-y divide-separator">
              {shortcuts
                .filter((shortcut) => shortcut.group === group)
                .map(({ keys, label }) => (
                  <div key={keys} className="flex items-center justify-between gap-4 py-1.5">
                    <dt>{label}</dt>
                    <dd>
                      <Keys keys={keys} />
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
        <p className="text-xs">{t('shortcuts.off')}</p>
      </div>
    </Dialog>
  );
}
