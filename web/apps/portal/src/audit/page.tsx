/**
 * Who changed what: the log of the tenant with each field before and after, and the proof that it is whole.
 */
import { auditExportAddress, useAudit } from '@tandem/api';
import { Button, ButtonLink, EmptyState, PageHead, Placeholder, Spinner } from '@tandem/ui';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Download, History, ShieldCheck } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Failed } from '../pages/absent';
import { useTenant } from '../tenant';
import { Entry } from './entry';
import { Filters } from './filters';
import { chosenOf, filterOf, type Chosen } from './model';
import { Verification } from './verification';

export function AuditPage() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const chosen = useMemo(() => chosenOf(search), [search]);
  const navigate = useNavigate();
  const choose = useCallback(
    (next: Chosen) =>
      void navigate({ to: '.', search: chosenOf({ ...next }) as Record<string, string>, replace: true }),
    [navigate],
  );
  const [verifying, setVerifying] = useState(false);
  const filter = useMemo(() => filterOf(chosen), [chosen]);
  const log = useAudit(tenant.id, filter);
  const { data, error } = log;
  const filtered = Object.keys(filter).length > 0;
  return (
    <>
      <PageHead
        title={t('audit.title')}
        lead={t('audit.lead')}
        actions={
          <>
            <Button variant="secondary" onPress={() => setVerifying(true)}>
              <ShieldCheck aria-hidden />
              {t('audit.verify.action')}
            </Button>
            <ButtonLink href={auditExportAddress(tenant.id, filter)} variant="secondary" target="_blank">
              <Download aria-hidden />
              {t('audit.export')}
            </ButtonLink>
          </>
        }
      />
      <Filters chosen={chosen} onChange={choose} />
      {data === undefined && error && <Failed error={error} onRetry={() => void log.refetch()} />}
      {data === undefined && !error && <Placeholder rows={8} />}
      {data?.length === 0 && (
        <EmptyState
          icon={History}
          title={t(filtered ? 'audit.nothing' : 'audit.empty.title')}
          action={
            filtered && (
              <Button variant="secondary" onPress={() => choose({})}>
                {t('audit.clear')}
              </Button>
            )
          }
        >
          {t(filtered ? 'audit.nothing_text' : 'audit.empty.text')}
        </EmptyState>
      )}
      {data && data.length > 0 && (
        <ol aria-label={t('audit.title')} className="card divide-y divide-separator">
          {data.map((entry) => (
            <Entry key={entry.id} entry={entry} chosen={chosen} onChoose={choose} />
          ))}
        </ol>
      )}
      <div className="mt-4 flex items-center justify-center gap-3">
        {log.isFetchNextPageError && (
          <p role="alert" className="text-sm text-danger">
            {t('audit.failed_more')}
          </p>
        )}
        {log.hasNextPage && (
          <Button
            variant="secondary"
            isDisabled={log.isFetchingNextPage}
            onPress={() => void log.fetchNextPage()}
          >
            {log.isFetchingNextPage && <Spinner size="sm" color="current" />}
            {t(log.isFetchingNextPage ? 'audit.loading_more' : 'audit.more')}
          </Button>
        )}
      </div>
      {verifying && <Verification onClose={() => setVerifying(false)} />}
    </>
  );
}
