/**
 * What a list shows, as the address says it.
 *
 * A change of search, sorting or filters replaces the address, so that *back* leaves the list. While somebody
 * scrolls, the address follows with the place, so that a link or a reload shows the same rows.
 */
import { paramsOf, placeOf, stateOf, type ListPlace, type ListState } from '@tandem/ui';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';

import { addressText, afterAddress, type OwnAddresses } from './own-address';

export interface ListAddress {
  state: ListState;
  setState: (state: ListState) => void;
  /** Where the list begins; absent: at its beginning. */
  start: ListPlace | undefined;
  /** Another number each time that a link or *back* led here anew: the list begins at its first row again. */
  visit: number;
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
  const address = placeOf(params);
  // The place that follows the scrolling is not where the list begins, but that of a link is.
  const [start, setStart] = useState(address);
  const [visit, setVisit] = useState(0);
  const shown = addressText(state, address);
  const [own, setOwn] = useState<OwnAddresses>({ seen: shown, sent: [] });
  if (shown !== own.seen) {
    const next = afterAddress(own, shown);
    setOwn(next.own);
    if (next.foreign) {
      setStart(address);
      setVisit(visit + 1);
    }
  }

  const show = useCallback(
    (next: ListState, place?: ListPlace) => {
      const sending = addressText(next, place);
      setOwn(({ seen, sent }) => ({ seen, sent: [...sent, sending] }));
      void router.navigate({
        to: '.',
        search: paramsOf(next, place) as never,
        replace: true,
        resetScroll: false,
      });
    },
    [router, setOwn],
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
  return { state, setState, start, visit, setPlace, restart };
}
