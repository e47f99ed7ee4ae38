/**
 * Where an activation link leads: says what it is and hands it to the softphone. Public; redeems nothing.
 */
import { CopyButton, Notice, useTitle } from '@tandem/ui';
import { PhoneCall } from 'lucide-react';
import { useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { Welcome } from '../session/welcome';
import { parseActivationLink, type ActivationLink } from './link';

export function ActivatePage() {
  const { t } = useTranslation();
  const address = useSyncExternalStore(onHashChange, () => window.location.href);
  const activation = parseActivationLink(address);
  useTitle(t('activate.title'));
  if (!activation) {
    return (
      <Welcome title={t('activate.incomplete')} wide>
        <Notice tone="warning">{t('activate.incomplete_text')}</Notice>
      </Welcome>
    );
  }
  return (
    <Welcome title={t('activate.title')} lead={t('activate.lead')} wide>
      <Ways activation={activation} />
    </Welcome>
  );
}

function onHashChange(listener: () => void) {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

function Ways({ activation }: { activation: ActivationLink }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <div className="flex flex-col gap-7">
      <div>
        <a
          href={activation.deepLink}
          className="button button--lg button--primary button--full-width"
          onClick={() => setOpened(true)}
        >
          <PhoneCall aria-hidden />
          {t('activate.open')}
        </a>
        <div aria-live="polite" className="mt-3 text-muted">
          {t(opened ? 'activate.opened' : 'activate.open_help')}
        </div>
      </div>
      <div>
        <h2 className="text-sm font-semibold">{t('activate.terminal')}</h2>
        <p className="mb-2 text-muted">{t('activate.terminal_help')}</p>
        <p className="verbatim rounded-lg border border-border bg-surface-secondary p-2.5">
          {activation.command}
        </p>
        <div className="mt-2">
          <CopyButton text={activation.command} label={t('activate.copy_command')} />
        </div>
        <p className="mt-3 text-muted">{t('activate.terminal_then')}</p>
        <p className="verbatim rounded-lg border border-border bg-surface-secondary p-2.5">softphone run</p>
      </div>
      <p className="border-t border-separator pt-5 text-xs text-muted">{t('activate.once')}</p>
    </div>
  );
}
