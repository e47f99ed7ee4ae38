import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { shell } from '../routes/frame';

export const mailRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/mail',
    component: lazyRouteComponent(() => import('./page'), 'MailPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/mails',
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import('./list'), 'MailsPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/mailbox',
    component: lazyRouteComponent(() => import('./mailbox'), 'MailboxPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/mailbox/$id',
    component: lazyRouteComponent(() => import('./one'), 'MailboxMailPage'),
  }),
] as const;
