/**
 * A company's OpenID provider: oidc-provider with the pages that it brings for trying things out. Whoever signs in there as
 * `nora` is `nora@company.test`.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import OpenIdProvider from 'oidc-provider';

import { environment } from './environment';

export const CLIENT = { id: 'tandem', secret: 'a secret of one client' };
export const DOMAIN = 'company.test';

export interface Company {
  issuer: string;
  server: Server;
}

export async function startProvider(): Promise<Company> {
  const server = createServer();
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new OpenIdProvider(issuer, {
    clients: [
      { client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [`${environment.url}/signed-on`] },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name'] },
    cookies: { keys: ['of this test'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@${DOMAIN}`,
        email_verified: true,
        given_name: 'Nora',
        family_name: 'New',
      }),
    }),
  });
  server.on('request', provider.callback());
  return { issuer, server };
}
