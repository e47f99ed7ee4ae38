/**
 * A cell in which nothing stands: quiet to look at, and said to whoever listens.
 */
import { useTranslation } from 'react-i18next';

export function Nothing() {
  const { t } = useTranslation();
  return (
    <span className="text-muted">
      <span aria-hidden>–</span>
      <span className="sr-only">{t('none')}</span>
    </span>
  );
}
