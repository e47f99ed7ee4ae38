import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell, tenant } from '../routes/frame';

export const deviceRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/devices',
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import('./list'), 'DevicesPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/devices/new',
    validateSearch: (search: Record<string, unknown>): { contact?: string } =>
      typeof search.contact === 'string' ? { contact: search.contact } : {},
    component: lazyRouteComponent(() => import('./edit'), 'NewDevicePage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/devices/$id',
    component: lazyRouteComponent(() => import('./page'), 'DevicePage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/devices/$id/edit',
    component: lazyRouteComponent(() => import('./edit'), 'EditDevicePage'),
  }),
] as const;

/** Without the navigation: one sheet of paper. */
export const devicePrintRoutes = [
  createRoute({
    getParentRoute: () => tenant,
    path: '/devices/$id/print',
    component: lazyRouteComponent(() => import('./print'), 'PrintPage'),
  }),
] as const;
