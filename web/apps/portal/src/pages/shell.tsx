/**
 * Navigation of a tenant, its switch, and the person's menu.
 */
import { useConnection, useSession } from '@tandem/api';
import { Outlet, useLocation } from '@tanstack/react-router';
import { AppShell, Notice, type NavigationGroup } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { AREAS, isWithin, visible } from '../navigation/table';
import { Keyboard } from '../palette/keyboard';
import { PersonMenu } from '../session/person-menu';
import { TenantSwitch } from '../session/tenant-switch';
import { useTenant } from '../tenant';

export function ShellPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const session = useSession().data;
  const lost = useConnection() === 'lost';
  const { pathname } = useLocation();

  const viewer = {
    role: tenant.role,
    installation_administrator: session?.user.installation_administrator ?? false,
  };
  const seen = visible(AREAS, viewer);
  const groups: NavigationGroup[] = seen.map(({ group, areas }) => ({
    id: group,
    label: group === 'start' ? undefined : t(`navigation.${group}`),
    items: areas.map((area) => ({
      href: path(area.rest),
      label: t(area.title),
      icon: area.icon,
      current: isWithin(pathname, path(area.rest), area),
    })),
  }));

  return (
    <AppShell
      groups={groups}
      place={session && <TenantSwitch session={session} here={tenant} />}
      search={<Keyboard areas={seen.flatMap(({ areas }) => areas)} />}
      person={session && <PersonMenu user={session.user} />}
      banner={
        <div className="no-print mx-auto flex max-w-6xl flex-col gap-2 px-4 pt-4 empty:hidden sm:px-8">
          {tenant.demonstration && <Notice tone="info">{t('tenant.demonstration')}</Notice>}
          {tenant.role === 'read_only' && <Notice tone="info">{t('tenant.read_only')}</Notice>}
          {lost && (
            <Notice tone="warning" alert>
              {t('live.lost')}
            </Notice>
          )}
        </div>
      }
    >
      <Outlet />
    </AppShell>
  );
}
