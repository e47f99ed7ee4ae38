import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { root } from '../routes/frame';

/** Of the root: where links in mails lead, and asking for one. */
export const recoveryRoutes = [
  createRoute({
    getParentRoute: () => root,
    path: '/forgot-password',
    component: lazyRouteComponent(() => import('./forgot-password'), 'ForgotPasswordPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/new-password',
    component: lazyRouteComponent(() => import('./new-password'), 'NewPasswordPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/new-address',
    component: lazyRouteComponent(() => import('./new-address'), 'NewAddressPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/invitation',
    component: lazyRouteComponent(() => import('./invitation'), 'InvitationPage'),
  }),
] as const;
