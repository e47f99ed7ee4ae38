import { describe, expect, it } from 'vitest';

import { domainsOf, formOf, inputOf, signOnSchema } from './model';

const form = {
  name: 'Acme login',
  issuer: 'https://login.acme.example/v2.0',
  client_id: 'tandem',
  client_secret: '',
  domains: 'acme.example, acme.test',
  new_people: 'nobody' as const,
  trusts_addresses: false,
  trusts_second_factor: false,
  password_allowed: true,
};

function refused(change: Partial<typeof form>): (string | number | symbol)[] {
  const { error } = signOnSchema.safeParse({ ...form, ...change });
  return error?.issues.map(({ path }) => path[0] as string) ?? [];
}

describe('the settings of a provider', () => {
  it('are sent without a secret that was not typed', () => {
    expect(inputOf(form)).toEqual({
      ...form,
      client_secret: undefined,
      domains: ['acme.example', 'acme.test'],
    });
    expect(inputOf({ ...form, client_secret: 'word' }).client_secret).toBe('word');
  });

  it('are empty while there is none', () => {
    const empty = formOf({ redirect_address: '', sign_in_address: '', proven: false, version: 0 });
    expect(empty.password_allowed).toBe(true);
    expect(empty.new_people).toBe('nobody');
  });

  it('are checked before they are sent', () => {
    expect(refused({})).toEqual([]);
    expect(refused({ issuer: 'http://127.0.0.1:3000' })).toEqual([]);
    for (const issuer of ['', 'login.acme.example', 'http://login.acme.example', 'https://a.example/?b']) {
      expect(refused({ issuer }), issuer).toContain('issuer');
    }
    for (const domains of ['', 'localhost', 'acme.example; b_c.example', 'acme example']) {
      expect(refused({ domains }), domains).toContain('domains');
    }
  });

  it('take domains however they are parted', () => {
    expect(domainsOf(' a.example,b.example;  c.example\n')).toEqual(['a.example', 'b.example', 'c.example']);
  });
});
