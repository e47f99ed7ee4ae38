/**
 * Devices with their state, live.
 */
import type { Device } from '@tandem/api';
import type { TableColumn, TableFilter } from '@tandem/ui';
import { Smartphone } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { ListPage } from '../lists/list-page';
import { useDate } from '../pages/date';
import { Nothing } from '../pages/nothing';
import { useTenant } from '../tenant';
import { DESK_PHONE_MAKES, platformName } from './model';
import { Move } from './move';
import { DeviceBadge } from './status';

const STATUSES = ['not_activated', 'online', 'offline'] as const;
const PLATFORMS = ['linux', 'macos', 'windows', 'android', 'ios', ...DESK_PHONE_MAKES] as const;

export function DevicesPage() {
  const { t } = useTranslation();
  const date = useDate();
  const { mayChange } = useTenant();
  const columns: TableColumn<Device>[] = [
    {
      id: 'name',
      title: t('devices.name'),
      sort: 'name',
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
      sort: 'app_version',
      from: 'xl',
      cell: ({ app_version, platform }) =>
        app_version || platform ? (
          <span>
            {app_version}
            {platform && <span className="block text-xs text-muted">{platformName(platform)}</span>}
          </span>
        ) : (
          <Nothing />
        ),
    },
    {
      id: 'last_seen',
      title: t('devices.last_seen_at'),
      sort: 'last_seen_at',
      spare: true,
      cell: ({ last_seen_at }) => last_seen_at && date(last_seen_at),
    },
    ...(mayChange
      ? [
          {
            id: 'actions',
            title: t('devices.actions'),
            from: 'lg' as const,
            plain: true,
            cell: (device: Device) => <Move device={device} small />,
          },
        ]
      : []),
  ];
  const filters: TableFilter[] = [
    {
      name: 'status',
      title: t('devices.status_title'),
      choices: STATUSES.map((id) => ({ id, label: t(`devices.status.${id}`) })),
    },
    {
      name: 'sub_status',
      title: t('devices.waiting_for'),
      choices: [
        { id: 'instructions_sent', label: t('devices.instructions.sent') },
        { id: 'not_started', label: t('devices.not_started') },
        { id: 'pending_update', label: t('devices.pending_update') },
      ],
    },
    {
      name: 'platform',
      title: t('devices.platform'),
      choices: PLATFORMS.map((id) => ({ id, label: platformName(id) })),
    },
  ];
  return (
    <ListPage
      name="devices"
      icon={Smartphone}
      columns={columns}
      filters={filters}
      nameOf={({ name }) => name}
    />
  );
}
