/**
 * Joins the routes of all areas. Each area has its own in `<area>/routes.ts`, loaded when first opened.
 */
import { createRouter, parseSearchWith, stringifySearchWith } from '@tanstack/react-router';

import { accountRoutes } from './accounts/routes';
import { activateRoutes } from './activate/routes';
import { addressRoutes } from './addresses/routes';
import { apiKeyRoutes } from './api-keys/routes';
import { auditRoutes } from './audit/routes';
import { callRoutes } from './calls/routes';
import { contactRoutes } from './contacts/routes';
import { devicePrintRoutes, deviceRoutes } from './devices/routes';
import { galleryRoutes } from './gallery/routes';
import { importRoutes } from './imports/routes';
import { interfaceRoutes } from './interface/routes';
import { mailRoutes } from './mail/routes';
import { overviewRoutes } from './overview/routes';
import { FailedPage } from './pages/failed';
import { NotFoundPage } from './pages/not-found';
import { WaitingPage } from './pages/waiting';
import { providerRoutes } from './providers/routes';
import { recoveryRoutes } from './recovery/routes';
import { root, shell, tenant } from './routes/frame';
import { securityRoutes } from './security/routes';
import { sessionRoutes } from './session/routes';
import { signOnRoutes, signOnSettingsRoutes } from './sign-on/routes';
import { signUpRoutes } from './sign-up/routes';
import { teamRoutes } from './team/routes';
import { webhookRoutes } from './webhooks/routes';

export const router = createRouter({
  routeTree: root.addChildren([
    ...sessionRoutes,
    ...securityRoutes,
    ...signOnRoutes,
    ...signUpRoutes,
    ...recoveryRoutes,
    ...activateRoutes,
    ...galleryRoutes,
    tenant.addChildren([
      ...devicePrintRoutes,
      shell.addChildren([
        ...overviewRoutes,
        ...accountRoutes,
        ...addressRoutes,
        ...apiKeyRoutes,
        ...auditRoutes,
        ...callRoutes,
        ...contactRoutes,
        ...deviceRoutes,
        ...importRoutes,
        ...interfaceRoutes,
        ...mailRoutes,
        ...providerRoutes,
        ...signOnSettingsRoutes,
        ...teamRoutes,
        ...webhookRoutes,
      ]),
    ]),
  ]),
  // Everything in an address is plain text: `?search=201`, not `?search="201"`.
  parseSearch: parseSearchWith((text) => text),
  stringifySearch: stringifySearchWith(String),
  defaultPreload: false,
  scrollRestoration: true,
  defaultNotFoundComponent: NotFoundPage,
  defaultErrorComponent: FailedPage,
  defaultPendingComponent: WaitingPage,
  defaultPendingMs: 200,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
