import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

/** Below `/t/{slug}`. */
export const teamRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/team',
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import('./page'), 'TeamPage'),
  }),
] as const;
