import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { root } from '../routes/frame';

/** Of the root: visitors follow their activation link here. */
export const activateRoutes = [
  createRoute({
    getParentRoute: () => root,
    path: '/activate',
    component: lazyRouteComponent(() => import('./page'), 'ActivatePage'),
  }),
] as const;
