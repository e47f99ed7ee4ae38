/**
 * Which rows of a long list are in view just now.
 */
import { useEffect, useState, type RefObject } from 'react';

export interface Range {
  first: number;
  last: number;
}

/** Measuring costs a layout; nobody reads numbers faster than this. */
const EVERY_MS = 100;

interface Row {
  key: string;
  top: number;
  bottom: number;
}

/** The first and last of `rows` that stand at least half between `top` and `bottom`, by their places in the list. */
export function rangeOf(
  rows: readonly Row[],
  view: { top: number; bottom: number },
  places: ReadonlyMap<string, number>,
): Range | undefined {
  const seen = rows
    .filter((row) => {
      const middle = (row.top + row.bottom) / 2;
      return middle >= view.top && middle <= view.bottom;
    })
    .map(({ key }) => places.get(key))
    .filter((place) => place !== undefined);
  return seen.length === 0 ? undefined : { first: Math.min(...seen), last: Math.max(...seen) };
}

/** Follows the scrolling of `box` and of the window. Rows are known by React Aria's `data-key`. */
export function useRowsInView(
  box: RefObject<HTMLElement | null>,
  places: ReadonlyMap<string, number>,
): Range | undefined {
  const [range, setRange] = useState<Range>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = () => {
      const seen = box.current && readRange(box.current, places);
      setRange((old) => (old?.first === seen?.first && old?.last === seen?.last ? old : (seen ?? undefined)));
    };
    const later = () => {
      if (timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        read();
      }, EVERY_MS);
    };
    later();
    // Scrolling does not bubble, but it can be captured.
    document.addEventListener('scroll', later, { capture: true, passive: true });
    window.addEventListener('resize', later);
    const grown = new MutationObserver(later);
    if (box.current) grown.observe(box.current, { childList: true, subtree: true });
    return () => {
      clearTimeout(timer);
      document.removeEventListener('scroll', later, { capture: true });
      window.removeEventListener('resize', later);
      grown.disconnect();
    };
  }, [box, places]);
  return range;
}

function readRange(box: HTMLElement, places: ReadonlyMap<string, number>): Range | undefined {
  const grid = box.querySelector('[role="grid"]');
  if (!grid) return undefined;
  const { top, bottom } = grid.getBoundingClientRect();
  const rows = [...grid.querySelectorAll<HTMLElement>('[role="row"][data-key]')].map((row) => {
    const place = row.getBoundingClientRect();
    return { key: row.dataset.key ?? '', top: place.top, bottom: place.bottom };
  });
  return rangeOf(rows, { top: Math.max(top, 0), bottom: Math.min(bottom, window.innerHeight) }, places);
}
