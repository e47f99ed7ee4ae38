/**
 * Navigation of a tenant, its switch, and the person's menu.
 */
import { useConnection, useSession } from '@tandem/api';
import { Outlet, useLocation } from '@tanstack/react-router';
import { AppShell, Notice, type NavigationItem } from '@tandem/ui';
import { AtSign, LayoutDashboard, Server, Smartphone, Users } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { PersonMenu } from '../session/person-menu';
import { TenantSwitch } from '../session/tenant-switch';
import { useTenant } from '../tenant';

const PAGES = [
  { rest: '', name: 'overview', icon: LayoutDashboard },
  { rest: '/devices', name: 'devices', icon: Smartphone },
  { rest: '/contacts', name: 'contacts', icon: Users },
  { rest: '/accounts', name: 'accounts', icon: AtSign },
  { rest: '/providers', name: 'providers', icon: Server },
] as const;

export function ShellPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const session = useSession().data;
  const lost = useConnection() === 'lost';
  const { pathname } = useLocation();

  const items: NavigationItem[] = PAGES.map(({ rest, name, icon }) => ({
    href: path(rest),
    label: t(`navigation.${name}`),
    icon,
    current: rest === '' ? pathname === path('') || pathname === path('/') : pathname.startsWith(path(rest)),
  }));

  return (
    <AppShell
      items={items}
      place={session && <TenantSwitch session={session} here={tenant} />}
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
