/**
 * The calls of the tenant, newest first. New ones appear by themselves.
 */
import { callExportAddress, useCalls, type Call } from '@tandem/api';
import { ButtonLink, type TableColumn, type TableFilter } from '@tandem/ui';
import { Download, Phone } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { ListFrame } from '../lists/list-frame';
import { useListAddress } from '../lists/state';
import { useDate } from '../pages/date';
import { Nothing } from '../pages/nothing';
import { useTenant } from '../tenant';
import { Filters } from './filters';
import { CALL_FILTERS, clock, DIRECTIONS, filterOf, OUTCOMES, partyName } from './model';
import { OutcomeBadge, useReason, useTitleOf } from './outcome';

export function CallsPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const address = useListAddress(CALL_FILTERS);
  const { state, start } = address;
  const filter = useMemo(() => filterOf(state), [state]);
  const rows = useCalls(tenant.id, filter, { sort: state.sort, after: start?.after });
  const columns = useColumns();
  const filters: TableFilter[] = [
    {
      name: 'outcome',
      title: t('calls.outcome_title'),
      choices: OUTCOMES.map((id) => ({ id, label: t(`calls.outcome.${id}`) })),
    },
    {
      name: 'direction',
      title: t('calls.direction_title'),
      choices: DIRECTIONS.map((id) => ({ id, label: t(`calls.direction.${id}`) })),
    },
  ];
  return (
    <ListFrame<Call>
      list="calls"
      icon={Phone}
      texts={{
        title: t('calls.title'),
        lead: t('calls.lead'),
        search: t('calls.search'),
        emptyTitle: t('calls.empty.title'),
        emptyText: t('calls.empty.text'),
      }}
      address={address}
      rows={rows}
      columns={columns}
      filters={filters}
      fields={<Filters state={state} onState={address.setState} />}
      nameOf={useTitleOf()}
      href={({ id }) => path(`/calls/${id}`)}
      actions={
        <ButtonLink href={callExportAddress(tenant.id, filter)} variant="secondary" target="_blank">
          <Download aria-hidden />
          {t('calls.export')}
        </ButtonLink>
      }
    />
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
      sort: 'started_at',
      least: 190,
      cell: ({ started_at }) => <span className="whitespace-nowrap tabular-nums">{date(started_at)}</span>,
    },
    {
      id: 'direction',
      title: t('calls.direction_title'),
      from: 'lg',
      cell: ({ direction }) => t(`calls.direction.${direction}`),
    },
    { id: 'outcome', title: t('calls.outcome_title'), cell: (call) => <Outcome call={call} /> },
    {
      id: 'duration',
      title: t('calls.duration'),
      cell: ({ duration_secs, answered_at }) =>
        answered_at && duration_secs !== undefined && duration_secs !== null ? (
          <span className="tabular-nums">{clock(duration_secs)}</span>
        ) : (
          <Nothing />
        ),
    },
  ];
}

/** What could not be says why: otherwise nobody knows what to do. */
function Outcome({ call }: { call: Call }) {
  const reason = useReason();
  return (
    <span>
      <OutcomeBadge call={call} />
      {UNMADE.has(call.outcome) && <span className="mt-0.5 block text-xs text-muted">{reason(call)}</span>}
    </span>
  );
}

const UNMADE: ReadonlySet<Call['outcome']> = new Set(['failed', 'refused']);

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
