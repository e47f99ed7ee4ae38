/**
 * Saved views of a list, as its menu has them.
 */
import { useSavedViews, type ViewList } from '@tandem/api';
import { toast, type SavedView } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useRefusalText } from '../refusals/use-sentence';
import { useTenant } from '../tenant';

export function useViews(list: ViewList) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { views, save, remove } = useSavedViews(tenant.id, list);
  const refusalText = useRefusalText();
  const onError = (error: Error) => toast.danger(refusalText(error) ?? t('refused.unreachable'));
  return {
    views: views.map(({ columns, ...view }): SavedView => ({ ...view, ...(columns && { columns }) })),
    save: (view: Omit<SavedView, 'id'>) => save.mutate(view, { onError }),
    remove: (id: string) => remove.mutate(id, { onError }),
  };
}
