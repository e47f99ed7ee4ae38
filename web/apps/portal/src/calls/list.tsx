/**
 * The calls of the tenant, newest first. New ones appear by themselves.
 */
import { callExportAddress, Refusal, useCalls, type Call } from '@tandem/api';
import {
  Button,
  ButtonLink,
  DataTable,
  EmptyState,
  Failure,
  NothingFound,
  PageHead,
  Placeholder,
  type TableColumn,
} from '@tandem/ui';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Download, Phone } from 'lucide-react';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { useDate } from '../pages/date';
import { useTenant } from '../tenant';
import { Filters } from './filters';
import { chosenOf, clock, filterOf, isBackwards, partyName, type Chosen } from './model';
import { OutcomeBadge, useTitleOf } from './outcome';

export function CallsPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  // Read here and not by the route, whose file everybody loads.
  const search: Record<string, unknown> = useSearch({ strict: false });
  const chosen = useMemo(() => chosenOf(search), [search]);
  const navigate = useNavigate();
  const choose = useCallback(
    (next: Chosen) =>
      void navigate({ to: '.', search: chosenOf({ ...next }) as Record<string, string>, replace: true }),
    [navigate],
  );
  const filter = useMemo(() => filterOf(isBackwards(chosen) ? { ...chosen, to: '' } : chosen), [chosen]);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useCalls(
    tenant.id,
    filter,
  );
  const columns = useColumns();
  const titleOf = useTitleOf();
  const filtered = Object.keys(filter).length > 0;
  const empty = data?.length === 0;
  return (
    <>
      <PageHead
        title={t('calls.title')}
        lead={t('calls.lead')}
        actions={
          !empty && (
            <ButtonLink href={callExportAddress(tenant.id, filter)} variant="secondary" target="_blank">
              <Download aria-hidden />
              {t('calls.export')}
            </ButtonLink>
          )
        }
      />
      {(filtered || !empty) && <Filters chosen={chosen} onChange={choose} />}
      {data === undefined && error && (
        <Failure
          detail={error instanceof Refusal ? error.message : undefined}
          onRetry={() => void refetch()}
        />
      )}
      {data === undefined && !error && <Placeholder />}
      {empty && !filtered && (
        <EmptyState icon={Phone} title={t('calls.empty.title')}>
          {t('calls.empty.text')}
        </EmptyState>
      )}
      {empty && filtered && chosen.search && (
        <NothingFound search={chosen.search} onClear={() => choose({})} />
      )}
      {empty && filtered && !chosen.search && (
        <EmptyState
          icon={Phone}
          title={t('calls.nothing')}
          action={
            <Button variant="secondary" onPress={() => choose({})}>
              {t('calls.clear')}
            </Button>
          }
        >
          {t('calls.nothing_text')}
        </EmptyState>
      )}
      {data !== undefined && !empty && (
        <DataTable<Call>
          label={t('calls.title')}
          columns={columns}
          items={data}
          nameOf={titleOf}
          href={({ id }) => path(`/calls/${id}`)}
          onMore={hasNextPage ? () => void fetchNextPage() : undefined}
          pending={isFetchingNextPage}
        />
      )}
    </>
  );
}

function useColumns(): TableColumn<Call>[] {
  const { t } = useTranslation();
  const date = useDate();
  return [
    { id: 'caller', title: t('calls.caller'), cell: ({ caller }) => <PartyName party={caller} /> },
    { id: 'callee', title: t('calls.callee'), cell: ({ callee }) => <PartyName party={callee} /> },
    {
      id: 'started',
      title: t('calls.started'),
      cell: ({ started_at }) => <span className="whitespace-nowrap tabular-nums">{date(started_at)}</span>,
    },
    {
      id: 'direction',
      title: t('calls.direction_title'),
      from: 'lg',
      cell: ({ direction }) => t(`calls.direction.${direction}`),
    },
    { id: 'outcome', title: t('calls.outcome_title'), cell: (call) => <OutcomeBadge call={call} /> },
    {
      id: 'duration',
      title: t('calls.duration'),
      cell: ({ duration_secs, answered_at }) =>
        answered_at && duration_secs !== undefined && duration_secs !== null ? (
          <span className="tabular-nums">{clock(duration_secs)}</span>
        ) : (
          <span className="text-muted">{t('none')}</span>
        ),
    },
  ];
}

function PartyName({ party }: { party: Call['caller'] }) {
  const { t } = useTranslation();
  const name = partyName(party);
  if (name === undefined) return <span className="text-muted">{t('calls.withheld')}</span>;
  return (
    <span>
      <span className="block break-words">{name}</span>
      {party.number && party.number !== name && (
        <span className="block text-xs text-muted tabular-nums">{party.number}</span>
      )}
    </span>
  );
}
