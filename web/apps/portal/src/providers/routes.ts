import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const providerRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/providers',
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import('./list'), 'ProvidersPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/providers/new',
    component: lazyRouteComponent(() => import('./edit'), 'NewProviderPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/providers/$id',
    component: lazyRouteComponent(() => import('./edit'), 'ProviderPage'),
  }),
] as const;
