import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { root } from '../routes/frame';
import { signedIn } from '../session/guard';

/** Of the root: a person's access is no tenant's. */
export const securityRoutes = [
  createRoute({
    getParentRoute: () => root,
    path: '/security',
    beforeLoad: async ({ location }) => {
      await signedIn(location.href);
    },
    component: lazyRouteComponent(() => import('./page'), 'SecurityPage'),
  }),
] as const;
