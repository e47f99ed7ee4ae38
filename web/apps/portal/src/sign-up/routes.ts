import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { root } from '../routes/frame';

/** Of the root: signing up, and where the link of the mail leads. */
export const signUpRoutes = [
  createRoute({
    getParentRoute: () => root,
    path: '/sign-up',
    component: lazyRouteComponent(() => import('./page'), 'SignUpPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/confirm',
    component: lazyRouteComponent(() => import('./confirm'), 'ConfirmSignUpPage'),
  }),
] as const;
