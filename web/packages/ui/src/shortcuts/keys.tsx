/**
 * Keys as they look on a keyboard.
 */
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';

import { isMac, keyNames } from './shortcuts';

export function Keys({ keys }: { keys: string }) {
  const { t } = useTranslation('ui');
  return (
    <span className="inline-flex items-center gap-1 whitespace-nowrap">
      {keyNames(keys, isMac()).map((name, index) => (
        <Fragment key={name}>
          {index > 0 && keys.includes('>') && (
            <span className="text-xs text-muted">{t('shortcuts.then')}</span>
          )}
          <kbd className="rounded border border-border bg-surface-secondary px-1.5 py-0.5 font-sans text-xs text-foreground">
            {name}
          </kbd>
        </Fragment>
      ))}
    </span>
  );
}
