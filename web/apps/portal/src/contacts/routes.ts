import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const contactRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/contacts',
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import('./list'), 'ContactsPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/contacts/new',
    component: lazyRouteComponent(() => import('./edit'), 'NewContactPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/contacts/$id',
    component: lazyRouteComponent(() => import('./edit'), 'ContactPage'),
  }),
] as const;
