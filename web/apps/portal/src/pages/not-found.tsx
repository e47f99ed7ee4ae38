/**
 * Nothing lives at this address.
 */
import { ButtonLink, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { Welcome } from '../session/welcome';

export function NotFoundPage() {
  const { t } = useTranslation();
  useTitle(t('not_found.title'));
  return (
    <Welcome title={t('not_found.title')} lead={t('not_found.lead')}>
      <ButtonLink href="/">{t('not_found.action')}</ButtonLink>
    </Welcome>
  );
}
