import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

/** Below `/t/{slug}`. */
export const addressRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/addresses',
    component: lazyRouteComponent(() => import('./page'), 'AddressesPage'),
  }),
] as const;
