import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { root } from '../routes/frame';

/** Of the root: it needs no session and no server. */
export const galleryRoutes = [
  createRoute({
    getParentRoute: () => root,
    path: '/gallery',
    component: lazyRouteComponent(() => import('./page'), 'GalleryPage'),
  }),
] as const;
