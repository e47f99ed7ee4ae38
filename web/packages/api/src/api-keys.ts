/**
 * Keys with which programs use the interface.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';
import type { ApiKeyInput } from './types';

/** A tenant has no more than 100. */
const MOST_KEYS = 200;

function apiKeysKey(tenant: string) {
  return [...tenantKey(tenant), 'api-keys'] as const;
}

/** All keys in the order in which they were made, without what opens anything. */
export function useApiKeys(tenant: string) {
  return useQuery({
    queryKey: apiKeysKey(tenant),
    queryFn: async () => {
      const params = { path: { tenant }, query: { limit: MOST_KEYS } };
      return (await answered(client.GET('/api/v1/tenants/{tenant}/api-keys', { params }))).items;
    },
  });
}

/** Makes a key. The answer is the only place where it is told, so it is kept nowhere but where it is shown. */
export function useCreateApiKey(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: ApiKeyInput) =>
      answered(client.POST('/api/v1/tenants/{tenant}/api-keys', { params: { path: { tenant } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysKey(tenant) }),
    gcTime: 0,
  });
}

/** Ends a key at once. */
export function useRevokeApiKey(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.DELETE('/api/v1/tenants/{tenant}/api-keys/{id}', { params: { path: { tenant, id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysKey(tenant) }),
  });
}
