import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

/** Below `/t/{slug}`. */
export const webhookRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/webhooks',
    component: lazyRouteComponent(() => import('./list'), 'WebhooksPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/webhooks/new',
    component: lazyRouteComponent(() => import('./new'), 'NewWebhookPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/webhooks/$id',
    component: lazyRouteComponent(() => import('./page'), 'WebhookPage'),
  }),
] as const;
