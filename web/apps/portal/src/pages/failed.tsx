/**
 * A page that could not be shown at all.
 */
import { Refusal, Unreachable } from '@tandem/api';
import { Failure } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

export function FailedPage({ error }: { error: unknown }) {
  const { t } = useTranslation();
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
    if (cause instanceof Refusal) return cause.message;
    return cause instanceof Unreachable ? t('refused.unreachable_page') : undefined;
  }
}
