/**
 * Addresses and ports that firewalls must let through.
 */
import { useQuery } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';

export function useAddresses(tenant: string) {
  return useQuery({
    queryKey: [...tenantKey(tenant), 'addresses'],
    queryFn: () =>
      answered(client.GET('/api/v1/tenants/{tenant}/addresses', { params: { path: { tenant } } })),
  });
}
