import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

/** `?phone=on`: a phone is to be set up too. */
const withPhone = ({ phone }: Record<string, unknown>): { phone?: 'on' } => (phone === 'on' ? { phone } : {});

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
    validateSearch: withPhone,
    component: lazyRouteComponent(() => import('./new'), 'NewContactPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/contacts/$id/phone',
    component: lazyRouteComponent(() => import('./phone'), 'PhonePage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/contacts/$id',
    component: lazyRouteComponent(() => import('./edit'), 'ContactPage'),
  }),
] as const;
