import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const auditRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/audit',
    component: lazyRouteComponent(() => import('./page'), 'AuditPage'),
  }),
] as const;
