/**
 * What a list shows, as the address says it.
 *
 * A change of search, sorting or filters replaces the address, so that *back* leaves the list. While somebody
 * scrolls, the address follows with the place, so that a link or a reload shows the same rows.
 */
import { paramsOf, placeOf, stateOf, type ListPlace, type ListState } from '@tandem/ui';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';

export interface ListAddress {
  state: ListState;
  setState: (state: ListState) => void;
  /** Where the list begins; absent: at its beginning. */
  start: ListPlace | undefined;
  /** Notes where one is, without reading anything anew. */
  setPlace: (place: ListPlace | undefined) => void;
  /** Back to the first row. */
  restart: () => void;
}

export function useListAddress(filters: readonly string[]): ListAddress {
  const router = useRouter();
  const params = useSearch({ strict: false }) as Record<string, string | undefined>;
  const names = filters.join(' ');
  const text = JSON.stringify(stateOf(params, filters));
  const state = useMemo(() => JSON.parse(text) as ListState, [text]);
  // Read once: the place that follows the scrolling is not where the list begins.
  const [start, setStart] = useState(() => placeOf(params));

  const show = useCallback(
    (next: ListState, place?: ListPlace) => {
      void router.navigate({
        to: '.',
        search: paramsOf(next, place) as never,
        replace: true,
        resetScroll: false,
      });
    },
    [router],
  );
  const setState = useCallback(
    (next: ListState) => {
      setStart(undefined);
      show(next);
    },
    [show],
  );
  const setPlace = useCallback(
    (place: ListPlace | undefined) => {
      const now = router.state.location.search as Record<string, string | undefined>;
      if (now.after !== place?.after) show(stateOf(now, names === '' ? [] : names.split(' ')), place);
    },
    [router, show, names],
  );
  const restart = useCallback(() => setState(state), [setState, state]);
  return { state, setState, start, setPlace, restart };
}
