/**
 * Saved views of a list. They belong to one person in one tenant and are there in every browser.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';
import type { ViewInput, ViewList } from './types';

const VIEWS = '/api/v1/tenants/{tenant}/views';

/** The views of a list by name; to save one, replacing the one of that name, and to remove one. */
export function useSavedViews(tenant: string, list: ViewList) {
  const queries = useQueryClient();
  const queryKey = [...tenantKey(tenant), 'views', list];
  const onSettled = () => queries.invalidateQueries({ queryKey });
  const read = useQuery({
    queryKey,
    queryFn: async () =>
      (await answered(client.GET(VIEWS, { params: { path: { tenant }, query: { list } } }))).items,
  });
  const save = useMutation({
    mutationFn: (body: Omit<ViewInput, 'list'>) =>
      answered(client.PUT(VIEWS, { params: { path: { tenant } }, body: { ...body, list } })),
    onSettled,
  });
  const remove = useMutation({
    mutationFn: (id: string) =>
      answered(client.DELETE('/api/v1/tenants/{tenant}/views/{id}', { params: { path: { tenant, id } } })),
    onSettled,
  });
  return { views: read.data ?? NO_VIEWS, save, remove };
}

const NO_VIEWS: never[] = [];
