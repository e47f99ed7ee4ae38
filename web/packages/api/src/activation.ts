/**
 * How a device is activated: link, code and picture of the link.
 */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';
import type { Activation } from './types';

function activationQuery(tenant: string, device: string) {
  return queryOptions({
    queryKey: [...tenantKey(tenant), 'devices', 'item', device, 'activation'],
    queryFn: () =>
      answered(
        client.GET('/api/v1/tenants/{tenant}/devices/{id}/activation', {
          params: { path: { tenant, id: device } },
        }),
      ),
    // Link and code are secrets: nothing of them stays behind when the page is left.
    gcTime: 0,
  });
}

export function useActivation(tenant: string, device: string) {
  return useQuery(activationQuery(tenant, device));
}

/** A new link and code. The old ones end; a device that was activated is signed out at once. */
export function useResetActivation(tenant: string, device: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/devices/{id}/activation', {
          params: { path: { tenant, id: device } },
        }),
      ),
    onSuccess: (activation: Activation) => {
      queries.setQueryData(activationQuery(tenant, device).queryKey, activation);
      return queries.invalidateQueries({ queryKey: tenantKey(tenant) });
    },
  });
}

/** Address of the QR image of the link. `edition` changes with every reset, so no old image is shown. */
export function qrAddress(tenant: string, device: string, edition: string): string {
  const path = `/api/v1/tenants/${tenant}/devices/${device}/activation/qr.svg`;
  return `${path}?edition=${encodeURIComponent(edition)}`;
}
