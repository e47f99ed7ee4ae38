/**
 * A person with a phone, made in one go.
 */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';
import type { EquipInput } from './types';

/** Contact, account and device: all are made, or none. */
export function useEquip(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: EquipInput) =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/contacts/equip', { params: { path: { tenant } }, body }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: tenantKey(tenant) }),
  });
}

/** The next free number at a provider. It may be taken by somebody else a moment later, so it is never kept. */
export function nextUsernameQuery(tenant: string, provider: string) {
  return queryOptions({
    queryKey: [...tenantKey(tenant), 'providers', 'next-username', provider],
    queryFn: async () => {
      const path = { tenant, id: provider };
      const answer = client.GET('/api/v1/tenants/{tenant}/providers/{id}/next-username', {
        params: { path },
      });
      return (await answered(answer)).username;
    },
    enabled: provider !== '',
    staleTime: 0,
    gcTime: 0,
  });
}
