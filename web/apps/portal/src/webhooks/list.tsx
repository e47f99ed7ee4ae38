/**
 * The webhooks of the tenant: where other programs are told of what happens, and whether they take it.
 */
import { useWebhooks, type Webhook } from '@tandem/api';
import {
  ButtonLink,
  DataTable,
  EmptyState,
  PageHead,
  Placeholder,
  StatusBadge,
  type TableColumn,
} from '@tandem/ui';
import { Plus, Webhook as WebhookIcon } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Failed } from '../pages/absent';
import { useTenant } from '../tenant';
import { STATE_TONES, stateOf } from './model';

export function WebhooksPage() {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const { data, error, refetch } = useWebhooks(tenant.id);
  const columns = useColumns();
  const create = mayChange && (
    <ButtonLink href={path('/webhooks/new')}>
      <Plus aria-hidden />
      {t('webhooks.new')}
    </ButtonLink>
  );
  const empty = data?.length === 0;
  return (
    <>
      <PageHead title={t('webhooks.title')} lead={t('webhooks.lead')} actions={!empty && create} />
      {!data && error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Placeholder rows={4} />}
      {empty && (
        <EmptyState icon={WebhookIcon} title={t('webhooks.empty.title')} action={create}>
          {t('webhooks.empty.text')}
        </EmptyState>
      )}
      {data && !empty && (
        <DataTable<Webhook>
          label={t('webhooks.title')}
          columns={columns}
          items={data}
          nameOf={({ name }) => name}
          href={({ id }) => path(`/webhooks/${id}`)}
        />
      )}
    </>
  );
}

function useColumns(): TableColumn<Webhook>[] {
  const { t } = useTranslation();
  return [
    {
      id: 'name',
      title: t('webhooks.name'),
      share: 3,
      cell: ({ name, url }) => (
        <span>
          <span className="block font-medium wrap-anywhere">{name}</span>
          <span className="verbatim block text-xs break-all text-muted">{url}</span>
        </span>
      ),
    },
    {
      id: 'state',
      title: t('webhooks.state_title'),
      cell: (webhook) => {
        const state = stateOf(webhook);
        return <StatusBadge tone={STATE_TONES[state]}>{t(`webhooks.state.${state}`)}</StatusBadge>;
      },
    },
    {
      id: 'events',
      title: t('webhooks.events'),
      cell: ({ events }) => <span className="tabular-nums">{events.length}</span>,
    },
  ];
}
