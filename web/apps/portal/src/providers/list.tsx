/**
 * Where SIP accounts register: Tandem's own proxy and other people's.
 */
import type { Provider } from '@tandem/api';
import { StatusBadge, type TableColumn, type TableFilter } from '@tandem/ui';
import { Server } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { ListPage } from '../lists/list-page';
import { addressOf, TRANSPORTS } from './model';

export function ProvidersPage() {
  const { t } = useTranslation();
  const columns: TableColumn<Provider>[] = [
    {
      id: 'name',
      title: t('providers.name'),
      sort: 'name',
      cell: ({ name, own }) => (
        <span className="flex flex-wrap items-center gap-2">
          <span className="font-medium">{name}</span>
          {own && (
            <StatusBadge tone="info" plain>
              {t('providers.own')}
            </StatusBadge>
          )}
        </span>
      ),
    },
    {
      id: 'server',
      title: t('providers.server'),
      sort: 'server',
      cell: (provider) => <span className="verbatim">{addressOf(provider)}</span>,
    },
    { id: 'transport', title: t('providers.transport'), cell: ({ transport }) => transport.toUpperCase() },
    {
      id: 'accounts',
      title: t('providers.accounts'),
      cell: ({ accounts }) => <span className="tabular-nums">{accounts}</span>,
    },
  ];
  const filters: TableFilter[] = [
    {
      name: 'transport',
      title: t('providers.transport'),
      choices: TRANSPORTS.map((id) => ({ id, label: id.toUpperCase() })),
    },
  ];
  return (
    <ListPage
      name="providers"
      icon={Server}
      columns={columns}
      filters={filters}
      nameOf={({ name }) => name}
    />
  );
}
