import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const accountRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/accounts',
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import('./list'), 'AccountsPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/accounts/new',
    component: lazyRouteComponent(() => import('./edit'), 'NewAccountPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/accounts/$id',
    component: lazyRouteComponent(() => import('./edit'), 'AccountPage'),
  }),
] as const;
