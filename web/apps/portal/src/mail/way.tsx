/**
 * Whether mails leave this machine, said wherever somebody is about to send one.
 */
import { useMailSettings, type MailSettings } from '@tandem/api';
import { Link, Notice } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';

export function Way({ settings }: { settings: MailSettings }) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  return (
    <Notice tone={settings.way === 'mailbox' ? 'warning' : 'info'}>
      <p>{t(`mail.way.${settings.way}`)}</p>
      {settings.way === 'mailbox' && tenant.role === 'owner' && (
        <Link href={path('/mailbox')} className="link">
          {t('mail.to_mailbox')}
        </Link>
      )}
    </Notice>
  );
}

/** Says it only when mails stay here; nothing while that is not known. */
export function StaysHere() {
  const { tenant } = useTenant();
  const settings = useMailSettings(tenant.id).data;
  return settings?.way === 'mailbox' ? <Way settings={settings} /> : null;
}
