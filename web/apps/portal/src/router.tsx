/**
 * Which address shows which page. Pages of a tenant live below `/t/{slug}` and are loaded when first opened.
 */
import { isSignedOut, mustSetPassword, sessionQuery } from '@tandem/api';
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';

import { NotFoundPage } from './pages/not-found';
import { FailedPage } from './pages/failed';
import { WaitingPage } from './pages/waiting';
import { queries } from './queries';
import { lastTenant } from './tenant';

const root = createRootRoute({ component: Outlet });

/** The session, or away to where one gets a usable one. */
async function signedIn(href: string) {
  try {
    const session = await queries.ensureQueryData({ ...sessionQuery, revalidateIfStale: true });
    if (session.must_set_password) throw redirect({ to: '/set-password', search: { next: href } });
    return session;
  } catch (error) {
    if (isSignedOut(error)) throw redirect({ to: '/sign-in', search: { next: href } });
    if (mustSetPassword(error)) throw redirect({ to: '/set-password', search: { next: href } });
    throw error;
  }
}

interface Next {
  next?: string | undefined;
}

const withNext = (search: Record<string, unknown>): Next =>
  typeof search.next === 'string' && search.next !== '/' ? { next: search.next } : {};

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async () => {
    const { tenants } = await signedIn('/');
    const tenant = tenants.find(({ slug }) => slug === lastTenant()) ?? tenants[0];
    if (tenant) throw redirect({ to: '/t/$slug', params: { slug: tenant.slug } });
  },
  component: lazyRouteComponent(() => import('./pages/no-tenant'), 'NoTenantPage'),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: withNext,
  component: lazyRouteComponent(() => import('./session/sign-in'), 'SignInPage'),
});

const setPassword = createRoute({
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
  component: lazyRouteComponent(() => import('./session/set-password'), 'SetPasswordPage'),
});

const activate = createRoute({
  getParentRoute: () => root,
  path: '/activate',
  component: lazyRouteComponent(() => import('./activate/page'), 'ActivatePage'),
});

const tenant = createRoute({
  getParentRoute: () => root,
  path: '/t/$slug',
  beforeLoad: async ({ location }) => {
    await signedIn(location.href);
  },
  component: lazyRouteComponent(() => import('./pages/tenant'), 'TenantPage'),
});

const print = createRoute({
  getParentRoute: () => tenant,
  path: '/devices/$id/print',
  component: lazyRouteComponent(() => import('./devices/print'), 'PrintPage'),
});

const shell = createRoute({
  getParentRoute: () => tenant,
  id: 'shell',
  component: lazyRouteComponent(() => import('./pages/shell'), 'ShellPage'),
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview'), 'OverviewPage'),
});

const providers = createRoute({
  getParentRoute: () => shell,
  path: '/providers',
  component: lazyRouteComponent(() => import('./providers/list'), 'ProvidersPage'),
});
const newProvider = createRoute({
  getParentRoute: () => shell,
  path: '/providers/new',
  component: lazyRouteComponent(() => import('./providers/edit'), 'NewProviderPage'),
});
const provider = createRoute({
  getParentRoute: () => shell,
  path: '/providers/$id',
  component: lazyRouteComponent(() => import('./providers/edit'), 'ProviderPage'),
});

const accounts = createRoute({
  getParentRoute: () => shell,
  path: '/accounts',
  component: lazyRouteComponent(() => import('./accounts/list'), 'AccountsPage'),
});
const newAccount = createRoute({
  getParentRoute: () => shell,
  path: '/accounts/new',
  component: lazyRouteComponent(() => import('./accounts/edit'), 'NewAccountPage'),
});
const account = createRoute({
  getParentRoute: () => shell,
  path: '/accounts/$id',
  component: lazyRouteComponent(() => import('./accounts/edit'), 'AccountPage'),
});

const contacts = createRoute({
  getParentRoute: () => shell,
  path: '/contacts',
  component: lazyRouteComponent(() => import('./contacts/list'), 'ContactsPage'),
});
const newContact = createRoute({
  getParentRoute: () => shell,
  path: '/contacts/new',
  component: lazyRouteComponent(() => import('./contacts/edit'), 'NewContactPage'),
});
const contact = createRoute({
  getParentRoute: () => shell,
  path: '/contacts/$id',
  component: lazyRouteComponent(() => import('./contacts/edit'), 'ContactPage'),
});

const devices = createRoute({
  getParentRoute: () => shell,
  path: '/devices',
  component: lazyRouteComponent(() => import('./devices/list'), 'DevicesPage'),
});
const newDevice = createRoute({
  getParentRoute: () => shell,
  path: '/devices/new',
  validateSearch: (search: Record<string, unknown>): { contact?: string } =>
    typeof search.contact === 'string' ? { contact: search.contact } : {},
  component: lazyRouteComponent(() => import('./devices/edit'), 'NewDevicePage'),
});
const device = createRoute({
  getParentRoute: () => shell,
  path: '/devices/$id',
  component: lazyRouteComponent(() => import('./devices/page'), 'DevicePage'),
});
const editDevice = createRoute({
  getParentRoute: () => shell,
  path: '/devices/$id/edit',
  component: lazyRouteComponent(() => import('./devices/edit'), 'EditDevicePage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    signIn,
    setPassword,
    activate,
    tenant.addChildren([
      print,
      shell.addChildren([
        overview,
        providers,
        newProvider,
        provider,
        accounts,
        newAccount,
        account,
        contacts,
        newContact,
        contact,
        devices,
        newDevice,
        device,
        editDevice,
      ]),
    ]),
  ]),
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
