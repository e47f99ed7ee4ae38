/**
 * What an activation link says. Reading it uses nothing up; only the phone redeems it.
 */

/** The ways from the link to the phone. */
export interface ActivationLink {
  /** The link itself, complete. */
  link: string;
  /** Opens the softphone where it is installed. */
  deepLink: string;
  /** For a terminal. */
  command: string;
}

const TOKEN = /^[A-Za-z0-9_-]{16,128}$/;

/** The link at `address`, or `undefined` if its token is missing or damaged. */
export function parseActivationLink(address: string): ActivationLink | undefined {
  const url = new URL(address);
  const token = url.hash.slice(1);
  if (!TOKEN.test(token)) return undefined;
  const portal = url.origin + url.pathname.replace(/\/activate\/?$/, '');
  const link = `${portal}/activate#${token}`;
  return {
    link,
    deepLink: `tandem:activate?portal=${encodeURIComponent(portal)}&token=${token}`,
    command: `softphone activate --link '${link}'`,
  };
}
