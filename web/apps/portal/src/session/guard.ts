/**
 * What a page asks of the session before it opens.
 */
import { isSignedOut, mustSetPassword, sessionQuery } from '@tandem/api';
import { redirect } from '@tanstack/react-router';

import { queries } from '../queries';

/** The session, or away to where one gets a usable one. */
export async function signedIn(href: string) {
  try {
    const session = await queries.ensureQueryData({ ...sessionQuery, revalidateIfStale: true });
    if (session.must_set_password) throw redirect({ to: '/set-password', search: { next: href } });
    return session;
  } catch (error) {
    if (isSignedOut(error)) throw redirect({ to: '/sign-in', search: { next: href } });
    if (mustSetPassword(error)) throw redirect({ to: '/set-password', search: { next: href } });
    throw error;
  }
}
