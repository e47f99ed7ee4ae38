/**
 * Where to go after signing in.
 */

/** A path of this portal, or `/`. Anything that a browser could take for another site is refused. */
export function nextPath(wanted: unknown): string {
  if (typeof wanted !== 'string' || !/^\/(?![/\\])/.test(wanted)) return '/';
  return /[\\\t\n\r]/.test(wanted) ? '/' : wanted;
}
