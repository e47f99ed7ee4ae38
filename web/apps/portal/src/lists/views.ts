/**
 * Saved views of a list, kept in this browser for one person and tenant.
 */
import { useSession } from '@tandem/api';
import type { SavedView, ViewStore } from '@tandem/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { useTenant } from '../tenant';

/** Views in the storage of the browser, under `key`. What cannot be read counts as none. */
export function browserViews(storage: Pick<Storage, 'getItem' | 'setItem'>, key: string): ViewStore {
  function read(): SavedView[] {
    try {
      const kept: unknown = JSON.parse(storage.getItem(key) ?? '[]');
      return Array.isArray(kept) ? (kept as SavedView[]) : [];
    } catch {
      return [];
    }
  }
  function write(views: SavedView[]) {
    const inOrder = views.toSorted((one, other) => one.name.localeCompare(other.name));
    storage.setItem(key, JSON.stringify(inOrder));
  }
  return {
    read: async () => read(),
    save: async (view) => {
      const others = read().filter(({ name }) => name !== view.name);
      write([...others, { ...view, id: crypto.randomUUID() }]);
    },
    remove: async (id) => write(read().filter((view) => view.id !== id)),
  };
}

export function useViews(list: string) {
  const { tenant } = useTenant();
  const person = useSession().data?.user.id ?? '';
  const key = `tandem.views.${person}.${tenant.id}.${list}`;
  const store = browserViews(localStorage, key);
  const queries = useQueryClient();
  const settled = { onSettled: () => queries.invalidateQueries({ queryKey: ['views', key] }) };
  return {
    views: useQuery({ queryKey: ['views', key], queryFn: store.read }).data ?? [],
    save: useMutation({ mutationFn: store.save, ...settled }).mutate,
    remove: useMutation({ mutationFn: store.remove, ...settled }).mutate,
  };
}
