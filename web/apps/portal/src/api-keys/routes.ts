import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const apiKeyRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/api-keys',
    component: lazyRouteComponent(() => import('./page'), 'ApiKeysPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/api-keys/new',
    component: lazyRouteComponent(() => import('./new'), 'NewApiKeyPage'),
  }),
] as const;
