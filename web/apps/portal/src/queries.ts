/**
 * The cache of what the server said, and what happens when it says that nobody is signed in.
 */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { isSignedOut, Refusal, sessionQuery } from '@tandem/api';

import { sessionEnded } from './session/ended';

/** Tries again only when there was no answer; what was refused stays refused. */
const MOST_TRIES = 2;

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeSignedOut }),
  mutationCache: new MutationCache({
    onError: (error, _variables, _result, mutation) => {
      if (!mutation.meta?.signsIn) noticeSignedOut(error);
      // It was done before, so what is shown may lack it.
      if (error instanceof Refusal && error.kind === 'answer-lost') void queries.invalidateQueries();
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => !(error instanceof Refusal) && failures < MOST_TRIES,
    },
  },
});

/** Only someone who was signed in can be signed out; a visitor is simply sent to sign in. */
function noticeSignedOut(error: Error) {
  if (isSignedOut(error) && queries.getQueryData(sessionQuery.queryKey)) sessionEnded.set(true);
}
