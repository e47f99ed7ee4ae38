import { isSignedOut, sessionQuery } from '@tandem/api';
import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { queries } from '../queries';
import { root } from '../routes/frame';
import { lastTenant } from '../tenant';
import { signedIn } from './guard';

interface Next {
  next?: string | undefined;
}

const withNext = (search: Record<string, unknown>): Next =>
  typeof search.next === 'string' && search.next !== '/' ? { next: search.next } : {};

/** Of the root. */
export const sessionRoutes = [
  createRoute({
    getParentRoute: () => root,
    path: '/',
    beforeLoad: async () => {
      const { tenants } = await signedIn('/');
      const tenant = tenants.find(({ slug }) => slug === lastTenant()) ?? tenants[0];
      if (tenant) throw redirect({ to: '/t/$slug', params: { slug: tenant.slug } });
    },
    component: lazyRouteComponent(() => import('./no-tenant'), 'NoTenantPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/sign-in',
    validateSearch: withNext,
    component: lazyRouteComponent(() => import('./sign-in'), 'SignInPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/set-password',
    validateSearch: withNext,
    beforeLoad: async ({ location }) => {
      try {
        await queries.ensureQueryData(sessionQuery);
      } catch (error) {
        if (isSignedOut(error)) throw redirect({ to: '/sign-in', search: { next: location.href } });
        throw error;
      }
    },
    component: lazyRouteComponent(() => import('./set-password'), 'SetPasswordPage'),
  }),
] as const;
