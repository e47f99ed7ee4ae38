/**
 * Where one goes after something was saved.
 */
import { useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useRef } from 'react';

/**
 * Whether the person is still where the calling component is; for what ends after they may have left. While another page is on
 * its way this one still stands, so the address counts too.
 */
export function useHere(): () => boolean {
  const place = useRef<string>(undefined);
  useEffect(() => {
    place.current = window.location.pathname;
    return () => {
      place.current = undefined;
    };
  }, []);
  return useCallback(() => place.current === window.location.pathname, []);
}

/** Opens a page after saving. Whoever went elsewhere meanwhile stays there. */
export function useGoOn(): (href: string) => void {
  const router = useRouter();
  const here = useHere();
  return useCallback(
    (href: string) => {
      // What was typed is saved, so nobody has to be asked.
      if (here()) router.history.push(href, undefined, { ignoreBlocker: true });
    },
    [router, here],
  );
}
