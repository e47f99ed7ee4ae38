import { listSearch } from '@tandem/ui';
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { idOf } from '../pages/params';
import { shell } from '../routes/frame';

interface PlanSearch {
  /** The columns of this plan are chosen again. */
  again?: string | undefined;
  /** Another file takes the place of that of this plan. */
  corrects?: string | undefined;
}

const withPlan = ({ again, corrects }: Record<string, unknown>): PlanSearch => ({
  again: idOf(again),
  corrects: idOf(corrects),
});

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
