/**
 * What is done by a link in a mail: accepting an invitation, a new password, another e-mail address. The token of the
 * link stands in its fragment, so that it reaches no log, and is sent in the body.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { sessionQuery } from './session';
import type { AcceptInvitation, NewPassword } from './types';

/** What an invitation is for. */
export function useInvitation(token: string) {
  return useQuery({
    queryKey: ['invitation', token],
    queryFn: () => answered(client.POST('/api/v1/invitation', { body: { token } })),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Accepts with a new access, and signs in. */
export function useAcceptInvitation() {
  const queries = useQueryClient();
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (body: AcceptInvitation) => answered(client.POST('/api/v1/invitation/acceptance', { body })),
    onSuccess: (session) => queries.setQueryData(sessionQuery.queryKey, session),
  });
}

/** Accepts with the access of who is signed in. */
export function useJoin() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => answered(client.POST('/api/v1/invitation/joining', { body: { token } })),
    onSuccess: (session) => queries.setQueryData(sessionQuery.queryKey, session),
  });
}

/** Asks for a mail with a link to a new password. The answer is the same for every address. */
export function useForgotPassword() {
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (email: string) => answered(client.POST('/api/v1/password-reset', { body: { email } })),
  });
}

export function useNewPassword() {
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (body: NewPassword) => answered(client.POST('/api/v1/password-reset/completion', { body })),
  });
}

/** Asks for a mail with a link to the new address, which counts once the link was followed. */
export function useChangeEmail() {
  return useMutation({
    mutationFn: (email: string) => answered(client.PUT('/api/v1/session/email', { body: { email } })),
  });
}

export function useConfirmEmail() {
  const queries = useQueryClient();
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (token: string) => answered(client.POST('/api/v1/email-confirmation', { body: { token } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
}
