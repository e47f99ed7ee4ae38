/**
 * Devices with their state, live.
 */
import type { Device } from '@tandem/api';
import type { TableColumn } from '@tandem/ui';
import { Smartphone } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { ListPage } from '../lists/list-page';
import { platformName } from './model';
import { DeviceBadge } from './status';

export function DevicesPage() {
  const { t } = useTranslation();
  const columns: TableColumn<Device>[] = [
    {
      id: 'name',
      title: t('devices.name'),
      cell: ({ name }) => <span className="font-medium">{name}</span>,
    },
    { id: 'contact', title: t('devices.contact'), cell: ({ contact }) => contact.name },
    {
      id: 'accounts',
      title: t('devices.accounts'),
      from: 'lg',
      cell: ({ accounts }) => accounts.map(({ name }) => name).join(', '),
    },
    { id: 'status', title: t('devices.status_title'), cell: (device) => <DeviceBadge device={device} /> },
    {
      id: 'app',
      title: t('devices.app'),
      from: 'xl',
      cell: ({ app_version, platform }) =>
        app_version ? (
          <span>
            {app_version}
            {platform && <span className="block text-xs text-muted">{platformName(platform)}</span>}
          </span>
        ) : (
          <span className="text-muted">{t('none')}</span>
        ),
    },
  ];
  return <ListPage name="devices" icon={Smartphone} columns={columns} nameOf={({ name }) => name} />;
}
