import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const overviewRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/',
    component: lazyRouteComponent(() => import('./page'), 'OverviewPage'),
  }),
] as const;
