/**
 * Saved views of a list, as its menu has them.
 */
import { Refusal, useSavedViews, type ViewList } from '@tandem/api';
import { toast, type SavedView } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';

export function useViews(list: ViewList) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { views, save, remove } = useSavedViews(tenant.id, list);
  const onError = (error: Error) =>
    toast.danger(error instanceof Refusal ? error.message : t('refused.unreachable'));
  return {
    views: views.map(({ columns, ...view }): SavedView => ({ ...view, ...(columns && { columns }) })),
    save: (view: Omit<SavedView, 'id'>) => save.mutate(view, { onError }),
    remove: (id: string) => remove.mutate(id, { onError }),
  };
}
