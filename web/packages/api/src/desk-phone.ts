/**
 * Making a device a desk phone, which fetches its settings at an address of its own.
 */
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';
import type { DeskPhoneMake } from './types';

/**
 * Makes an address; activation and an address of before end. The answer is the only place where it is told, so it is kept nowhere but
 * where it is shown.
 */
export function useSetUpDeskPhone(tenant: string, device: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (make: DeskPhoneMake) =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/devices/{id}/desk-phone', {
          params: { path: { tenant, id: device } },
          body: { make },
        }),
      ),
    onSuccess: () =>
      queries.invalidateQueries({
        queryKey: tenantKey(tenant),
        // A desk phone has none: what still shows it must not ask for it again.
        predicate: ({ queryKey }) => !queryKey.includes('activation'),
      }),
    gcTime: 0,
  });
}
