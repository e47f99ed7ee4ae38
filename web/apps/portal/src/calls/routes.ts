import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const callRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/calls',
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import('./list'), 'CallsPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/calls/$id',
    component: lazyRouteComponent(() => import('./page'), 'CallPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/settings/retention',
    component: lazyRouteComponent(() => import('./retention'), 'RetentionPage'),
  }),
] as const;
