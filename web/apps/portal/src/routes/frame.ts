/**
 * The routes that others hang below: the root, a tenant, and a tenant's pages with navigation.
 */
import { createRootRoute, createRoute, lazyRouteComponent, Outlet } from '@tanstack/react-router';

import { signedIn } from '../session/guard';

export const root = createRootRoute({ component: Outlet });

/** `/t/{slug}`: everything of one tenant. */
export const tenant = createRoute({
  getParentRoute: () => root,
  path: '/t/$slug',
  beforeLoad: async ({ location }) => {
    await signedIn(location.href);
  },
  component: lazyRouteComponent(() => import('../pages/tenant'), 'TenantPage'),
});

/** Pages of a tenant with the navigation beside them. */
export const shell = createRoute({
  getParentRoute: () => tenant,
  id: 'shell',
  component: lazyRouteComponent(() => import('../pages/shell'), 'ShellPage'),
});
