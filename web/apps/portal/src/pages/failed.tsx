/**
 * A page that could not be shown at all.
 */
import { Unreachable } from '@tandem/api';
import { Failure } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useRefusalText } from '../refusals/use-sentence';

export function FailedPage({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const refusalText = useRefusalText();
  return (
    <div className="mx-auto max-w-xl px-4 py-16">
      <Failure
        detail={detailOf(error) ?? t('refused.broken')}
        // Also gets the new pages after the server was updated.
        onRetry={() => window.location.reload()}
      />
    </div>
  );

  function detailOf(cause: unknown): string | undefined {
    return refusalText(cause) ?? (cause instanceof Unreachable ? t('refused.unreachable_page') : undefined);
  }
}
