import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { root, shell } from '../routes/frame';

const word = (value: unknown) => (typeof value === 'string' ? value : undefined);

const withNext = (search: Record<string, unknown>): { next?: string | undefined } => {
  const next = word(search.next);
  return next === undefined ? {} : { next };
};

/** What a provider sends people back with (OpenID Connect Core 1.0 section 3.1.2.5 and 3.1.2.6). */
interface Answer {
  state?: string | undefined;
  code?: string | undefined;
  error?: string | undefined;
  iss?: string | undefined;
}

const answer = (search: Record<string, unknown>): Answer => ({
  state: word(search.state),
  code: word(search.code),
  error: word(search.error),
  iss: word(search.iss),
});

/** Of the root: going to a provider, and where it sends people back to. */
export const signOnRoutes = [
  createRoute({
    getParentRoute: () => root,
    path: '/sign-on',
    validateSearch: withNext,
    component: lazyRouteComponent(() => import('./find'), 'FindPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/sign-on/$slug',
    validateSearch: withNext,
    component: lazyRouteComponent(() => import('./offer'), 'OfferPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/signed-on',
    validateSearch: answer,
    component: lazyRouteComponent(() => import('./signed-on'), 'SignedOnPage'),
  }),
] as const;

/** Below `/t/{slug}`. */
export const signOnSettingsRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/settings/sign-on',
    component: lazyRouteComponent(() => import('./settings'), 'SignOnSettingsPage'),
  }),
] as const;
