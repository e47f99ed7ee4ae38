/**
 * One import: what it would do, row by row; doing it; what came of it, and taking it back.
 */
import {
  isNotFound,
  isUnderWay,
  useCommitImport,
  useForgetImport,
  useImport,
  type Import,
} from '@tandem/api';
import { Button, ButtonLink, DateTime, EmptyState, Notice, PageHead, ProgressBar, useNow } from '@tandem/ui';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { Absent } from '../pages/absent';
import { nameOf } from '../countries';
import { useTenant } from '../tenant';
import { StateBadge } from './history';
import { dropFile, keptFile } from './kept';
import { canUndo, writes } from './model';
import { PlanRows } from './rows';
import { Steps } from './steps';
import { Undo } from './undo';

const route = getRouteApi('/t/$slug/shell/contacts/import/$id');

export function ImportPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const { tenant, path } = useTenant();
  const { data, error, refetch } = useImport(tenant.id, id);
  if (isNotFound(error)) {
    return (
      <EmptyState
        icon={SearchX}
        title={t('gone.title')}
        action={<ButtonLink href={path('/contacts/import')}>{t('imports.title')}</ButtonLink>}
      >
        {t('imports.gone')}
      </EmptyState>
    );
  }
  if (data !== undefined) return <OneImport key={id} plan={data} />;
  return <Absent data={data} error={error} onRetry={() => void refetch()} rows={3} />;
}

function OneImport({ plan }: { plan: Import }) {
  const { t, i18n } = useTranslation();
  const { path, mayChange } = useTenant();
  const router = useRouter();
  const open = plan.state === 'checked' || plan.state === 'reading';
  const back = () => router.history.push(path(`/contacts/import?again=${plan.id}`));
  return (
    <>
      <PageHead
        title={plan.file_name}
        lead={
          <>
            {t('imports.made_by', { who: plan.made_by })} · <DateTime at={plan.created_at} />
            {plan.country && (
              <> · {t('imports.in_country', { country: nameOf(plan.country, i18n.language) })}</>
            )}
          </>
        }
        up={{ href: path('/contacts/import'), label: t('imports.title') }}
        beside={<StateBadge plan={plan} />}
      />
      <Steps
        current={open ? 'check' : 'done'}
        {...(mayChange && open && keptFile(plan.id) && { onBack: back })}
      />
      <div className="flex flex-col gap-6">
        <div className="card flex flex-col gap-4 p-5 sm:p-6">
          <Standing plan={plan} />
        </div>
        {plan.state !== 'reading' && <PlanRows plan={plan} />}
      </div>
    </>
  );
}

/** How far it is, and what can be done now. */
function Standing({ plan }: { plan: Import }) {
  const { t } = useTranslation();
  const { path, mayChange } = useTenant();
  const now = useNow();
  const { create, update, refused, kept, state } = plan;
  if (isUnderWay(plan)) {
    const known = state !== 'reading';
    return (
      <ProgressBar
        label={t(`imports.under_way.${state as 'committing'}`)}
        {...(known && { value: Math.min(plan.progress, writes(plan)) })}
        most={Math.max(writes(plan), 1)}
      />
    );
  }
  if (state === 'checked') return <Commit plan={plan} />;
  if (state === 'stale') {
    return (
      <>
        <Notice tone="warning">{t('imports.stale')}</Notice>
        {mayChange && (
          <div>
            <ButtonLink
              href={path(`/contacts/import?${keptFile(plan.id) ? 'again' : 'corrects'}=${plan.id}`)}
            >
              {t('imports.upload_again')}
            </ButtonLink>
          </div>
        )}
      </>
    );
  }
  return (
    <>
      <Notice tone={state === 'committed' ? 'good' : 'info'}>
        <p>
          {t(state === 'committed' ? 'imports.was_done' : 'imports.was_undone', { create, update })}{' '}
          {state === 'committed' && refused > 0 && t('imports.left_out', { count: refused })}
          {state === 'undone' && kept > 0 && t('imports.kept', { count: kept })}
        </p>
      </Notice>
      <div className="flex flex-wrap items-center gap-3">
        <ButtonLink href={path('/contacts')}>{t('imports.to_contacts')}</ButtonLink>
        {mayChange && canUndo(plan, now) && <Undo plan={plan} />}
        {plan.undo_until && (
          <p className="text-sm text-muted">
            {t('imports.undo_until')} <DateTime at={plan.undo_until} />.
          </p>
        )}
      </div>
    </>
  );
}

function Commit({ plan }: { plan: Import }) {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const router = useRouter();
  const commit = useCommitImport(tenant.id);
  const forget = useForgetImport(tenant.id);
  const count = writes(plan);
  const discard = () =>
    forget.mutate(plan.id, {
      onSuccess: () => router.history.push(path('/contacts/import')),
    });
  return (
    <>
      <Notice tone={count === 0 ? 'warning' : 'info'}>
        <p>
          {count === 0
            ? t('imports.nothing_to_do')
            : t('imports.would_do', { create: plan.create, update: plan.update })}{' '}
          {plan.refused > 0 && t('imports.would_leave', { count: plan.refused })}
        </p>
        <p>{t('imports.not_yet')}</p>
      </Notice>
      <RefusedNotice error={commit.error ?? forget.error} />
      {mayChange && (
        <div className="flex flex-wrap gap-2">
          {count > 0 && (
            <Button
              isPending={commit.isPending}
              onPress={() => commit.mutate(plan.id, { onSuccess: () => dropFile(plan.id) })}
            >
              {t('imports.commit', { count })}
            </Button>
          )}
          {keptFile(plan.id) && (
            <ButtonLink href={path(`/contacts/import?again=${plan.id}`)} variant="secondary">
              {t('imports.columns_again')}
            </ButtonLink>
          )}
          {plan.refused > 0 && (
            <ButtonLink href={path(`/contacts/import?corrects=${plan.id}`)} variant="secondary">
              {t('imports.correct')}
            </ButtonLink>
          )}
          <Button variant="secondary" isPending={forget.isPending} onPress={discard}>
            {t('imports.discard')}
          </Button>
        </div>
      )}
    </>
  );
}
