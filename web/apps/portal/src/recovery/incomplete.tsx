/**
 * A link without its token: mail programs break long ones.
 */
import { ButtonLink, Notice, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { Welcome } from '../session/welcome';

export function IncompleteLink() {
  const { t } = useTranslation();
  useTitle(t('link.incomplete'));
  return (
    <Welcome title={t('link.incomplete')}>
      <div className="flex flex-col gap-5">
        <Notice tone="warning">{t('link.incomplete_text')}</Notice>
        <ButtonLink href="/sign-in" variant="secondary">
          {t('link.to_sign_in')}
        </ButtonLink>
      </div>
    </Welcome>
  );
}
