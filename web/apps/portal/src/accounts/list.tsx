/**
 * SIP accounts with their state, live.
 */
import { useChoices, type Account } from '@tandem/api';
import { StatusBadge, type TableColumn, type TableFilter } from '@tandem/ui';
import { AtSign } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { ListPage } from '../lists/list-page';
import { Nothing } from '../pages/nothing';
import { useTenant } from '../tenant';
import { AccountBadge } from './status';

const STATUSES = ['online', 'offline', 'not_in_use'] as const;

export function AccountsPage() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const providers = useChoices({ tenant: tenant.id, name: 'providers' }).data;
  const columns: TableColumn<Account>[] = [
    {
      id: 'name',
      title: t('accounts.name'),
      sort: 'name',
      cell: ({ name }) => <span className="font-medium">{name}</span>,
    },
    {
      id: 'username',
      title: t('accounts.username'),
      sort: 'username',
      cell: ({ username }) => <span className="verbatim">{username}</span>,
    },
    {
      id: 'provider',
      title: t('accounts.provider'),
      from: 'lg',
      cell: ({ provider_id }) => providers?.find(({ id }) => id === provider_id)?.name ?? '',
    },
    {
      id: 'status',
      title: t('accounts.status_title'),
      cell: (account) => <AccountBadge account={account} />,
    },
    {
      id: 'push',
      title: t('accounts.push'),
      from: 'xl',
      cell: ({ push }) => (
        <StatusBadge tone={push ? 'info' : 'idle'} plain>
          {t(push ? 'accounts.push_on' : 'accounts.push_off')}
        </StatusBadge>
      ),
    },
    {
      id: 'devices',
      title: t('accounts.devices'),
      cell: ({ devices }) =>
        devices.length === 0 ? <Nothing /> : devices.map(({ name }) => name).join(', '),
    },
  ];
  const filters: TableFilter[] = [
    {
      name: 'status',
      title: t('accounts.status_title'),
      choices: STATUSES.map((id) => ({ id, label: t(`accounts.status.${id}`) })),
    },
    {
      name: 'provider',
      title: t('accounts.provider'),
      choices: (providers ?? []).map(({ id, name }) => ({ id, label: name })),
    },
    {
      name: 'push',
      title: t('accounts.push'),
      choices: [
        { id: 'true', label: t('accounts.push_on') },
        { id: 'false', label: t('accounts.push_off') },
      ],
    },
  ];
  return (
    <ListPage
      name="accounts"
      icon={AtSign}
      columns={columns}
      filters={filters}
      nameOf={({ name }) => name}
      usersOf={({ devices }) => devices.map(({ name }) => name)}
    />
  );
}
