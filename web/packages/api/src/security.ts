/**
 * The person's own access: where they are signed in, their second factor, and proving anew who they are.
 */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { readSessionAnew } from './session';
import type { Confirmation } from './types';

const sessionsKey = ['own', 'sessions'];
const factorQuery = queryOptions({
  queryKey: ['own', 'second-factor'],
  queryFn: () => answered(client.GET('/api/v1/session/second-factor')),
});

export function useOwnSessions() {
  return useQuery({
    queryKey: sessionsKey,
    queryFn: async () => (await answered(client.GET('/api/v1/sessions'))).items,
  });
}

export function useEndSession() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsKey }),
  });
}

/** Signs out everywhere but here. */
export function useEndOtherSessions() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answered(client.DELETE('/api/v1/sessions')),
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsKey }),
  });
}

export function useSecondFactor() {
  return useQuery(factorQuery);
}

/** A new key for the app; nothing is asked for before its first code arrived. */
export function useBeginSecondFactor() {
  return useMutation({
    mutationFn: () => answered(client.POST('/api/v1/session/second-factor')),
    // The key is a secret: nothing of it stays behind.
    gcTime: 0,
  });
}

/** Turns it on; gives the recovery codes. */
export function useConfirmSecondFactor() {
  const changed = useFactorChanged();
  return useMutation({
    mutationFn: (code: string) =>
      answered(client.POST('/api/v1/session/second-factor/confirmation', { body: { code } })),
    gcTime: 0,
    onSuccess: changed,
  });
}

export function useRemoveSecondFactor() {
  const changed = useFactorChanged();
  return useMutation({
    mutationFn: () => answered(client.DELETE('/api/v1/session/second-factor')),
    onSuccess: changed,
  });
}

/** New recovery codes; the old ones end. */
export function useReplaceRecoveryCodes() {
  const changed = useFactorChanged();
  return useMutation({
    mutationFn: () => answered(client.POST('/api/v1/session/second-factor/recovery-codes')),
    gcTime: 0,
    onSuccess: changed,
  });
}

/** It also ended the other sessions, and may have opened a tenant. */
function useFactorChanged() {
  const queries = useQueryClient();
  return async () => {
    await Promise.all([queries.invalidateQueries({ queryKey: ['own'] }), readSessionAnew(queries)]);
  };
}

/** Proves anew who the person is; good for ten minutes. */
export function useConfirm() {
  return useMutation({
    mutationFn: (body: Confirmation) => answered(client.POST('/api/v1/session/confirmation', { body })),
  });
}
