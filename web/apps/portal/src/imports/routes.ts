import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { idOf } from '../pages/params';
import { shell } from '../routes/frame';

/** `?again=…`: the columns of a plan are chosen again. */
const withPlan = ({ again }: Record<string, unknown>): { again?: string } => {
  const id = idOf(again);
  return id === undefined ? {} : { again: id };
};

export const importRoutes = [
  createRoute({
    getParentRoute: () => shell,
    path: '/contacts/import',
    validateSearch: withPlan,
    component: lazyRouteComponent(() => import('./page'), 'ImportsPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: '/contacts/import/$id',
    validateSearch: listSearch,
    component: lazyRouteComponent(() => import('./one'), 'ImportPage'),
  }),
] as const;
