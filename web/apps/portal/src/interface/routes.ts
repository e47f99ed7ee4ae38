import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const interfaceRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/api',
    component: lazyRouteComponent(() => import('./page'), 'InterfacePage'),
  }),
] as const;
