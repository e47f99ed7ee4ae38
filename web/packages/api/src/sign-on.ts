/**
 * Signing in through a tenant's provider, and the tenant's settings of it.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';
import { sessionQuery } from './session';
import type {
  SignOnAnswer,
  SignOnBegin,
  SignOnInput,
  SignOnOffer,
  SignOnSettings,
  SignOnTestInput,
} from './types';

/** The provider of a tenant by its short name, or by the domain of an e-mail address; none if nobody offers it. */
export async function findSignOn(name: string): Promise<SignOnOffer | undefined> {
  const { items } = await answered(client.POST('/api/v1/session/sign-on/lookup', { body: { name } }));
  return items[0];
}

/** The provider of a tenant whose address was opened. */
export function useSignOnOffer(slug: string) {
  return useQuery({
    queryKey: ['sign-on', slug],
    queryFn: async () => (await findSignOn(slug)) ?? null,
  });
}

/** Gives the address to go to. */
export function useBeginSignOn() {
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (body: SignOnBegin) => answered(client.POST('/api/v1/session/sign-on', { body })),
    gcTime: 0,
  });
}

/** Gives the address to go to, to prove anew who one is. */
export function useConfirmAtProvider() {
  return useMutation({
    mutationFn: (next: string) =>
      answered(client.POST('/api/v1/session/sign-on/confirmation', { body: { next } })),
    gcTime: 0,
  });
}

export function useCompleteSignOn() {
  const queries = useQueryClient();
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (body: SignOnAnswer) => answered(client.POST('/api/v1/session/sign-on/completion', { body })),
    onSuccess: ({ session }) => {
      if (session) queries.setQueryData(sessionQuery.queryKey, session);
    },
    gcTime: 0,
  });
}

function settingsKey(tenant: string) {
  return [...tenantKey(tenant), 'sign-on'];
}

/** What is there now, whatever is in the cache. */
export function readSignOnSettings(tenant: string): Promise<SignOnSettings> {
  return answered(client.GET('/api/v1/tenants/{tenant}/settings/sign-on', { params: { path: { tenant } } }));
}

export function useSignOnSettings(tenant: string) {
  return useQuery({ queryKey: settingsKey(tenant), queryFn: () => readSignOnSettings(tenant) });
}

export function useSaveSignOn(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ version, input }: { version: number; input: SignOnInput }) =>
      answered(
        client.PUT('/api/v1/tenants/{tenant}/settings/sign-on', {
          params: { path: { tenant }, header: { 'If-Match': `"${version}"` } },
          body: input,
        }),
      ),
    onSuccess: (settings: SignOnSettings) => queries.setQueryData(settingsKey(tenant), settings),
  });
}

export function useDeleteSignOn(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answered(client.DELETE('/api/v1/tenants/{tenant}/settings/sign-on', { params: { path: { tenant } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: settingsKey(tenant) }),
  });
}

/** Tries a provider as it was typed, saved or not. */
export function useTestSignOn(tenant: string) {
  return useMutation({
    mutationFn: (body: SignOnTestInput) =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/settings/sign-on/test', { params: { path: { tenant } }, body }),
      ),
    gcTime: 0,
  });
}
