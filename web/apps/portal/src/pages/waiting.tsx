/**
 * While a page is on its way.
 */
import { Spinner } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

export function WaitingPage() {
  const { t } = useTranslation('ui');
  return (
    <div className="grid min-h-[50dvh] place-items-center" role="status" aria-label={t('loading')}>
      <Spinner />
    </div>
  );
}
