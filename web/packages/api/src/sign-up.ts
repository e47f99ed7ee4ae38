/**
 * Signing up, where the installation allows it.
 */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { sessionQuery } from './session';
import type { Puzzle, SignUpConfirmation, SignUpInput } from './types';

const offerQuery = queryOptions({
  queryKey: ['sign-up'],
  queryFn: () => answered(client.GET('/api/v1/sign-up')),
  staleTime: Infinity,
});

/** Whether people may sign up, and what they agree to. */
export function useSignUpOffer() {
  return useQuery(offerQuery);
}

/** Work for the browser. */
export function makePuzzle(): Promise<Puzzle> {
  return answered(client.POST('/api/v1/sign-up/puzzle'));
}

export function useSignUp() {
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (body: SignUpInput) => answered(client.POST('/api/v1/sign-up', { body })),
    gcTime: 0,
  });
}

/** Confirms by the link of the mail and the password that was chosen; gives the session of the new owner. */
export function useConfirmSignUp() {
  const queries = useQueryClient();
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (body: SignUpConfirmation) => answered(client.POST('/api/v1/sign-up/confirmation', { body })),
    onSuccess: (session) => queries.setQueryData(sessionQuery.queryKey, session),
    gcTime: 0,
  });
}
