import { expect, test } from 'vitest';

import { email, host, isHost, isOutboundProxy, optionalPort, requiredText, sipUser, z } from './checks';

const message = (schema: z.core.$ZodType, value: unknown) =>
  z.safeParse(schema, value).error?.issues[0]?.message;

test.each([
  'sip.example.com',
  'a',
  'a-b.example',
  '192.0.2.1',
  '2001:db8::1',
  '[2001:db8::1]',
  'example.com.',
])('%s is a host', (text) => {
  expect(isHost(text)).toBe(true);
});

test.each(['', 'a b', '-a.example', 'a..b', '192.0.2.256', '1.2.3', 'sip:a', 'a/b', 'user@a'])(
  '%s is no host',
  (text) => {
    expect(isHost(text)).toBe(false);
  },
);

test.each([
  'proxy.example',
  'proxy.example:5070',
  'sip:proxy.example:5060;lr',
  '[2001:db8::1]:5060',
  '2001:db8::1',
])('%s is an outbound proxy', (text) => {
  expect(isOutboundProxy(text)).toBe(true);
});

test.each(['proxy.example:0', 'proxy.example:70000', 'proxy.example:', 'sip:user@proxy', 'a b'])(
  '%s is no outbound proxy',
  (text) => {
    expect(isOutboundProxy(text)).toBe(false);
  },
);

test.each([
  [requiredText(), '  ', 'invalid.required'],
  [requiredText(3), 'abcd', 'invalid.too_long'],
  [host(), '', 'invalid.required'],
  [host(), 'not a host', 'invalid.host'],
  [optionalPort(), '65536', 'invalid.port'],
  [optionalPort(), '50x', 'invalid.port'],
  [optionalPort(), '', undefined],
  [optionalPort(), '5061', undefined],
  [sipUser(), '201 a', 'invalid.sip_user'],
  [sipUser(), 'alice@home', 'invalid.sip_user'],
  [sipUser(), '+49.30-1', undefined],
  [email(), 'alice', 'invalid.email'],
  [email(), 'alice@example.com', undefined],
])('the first thing wrong is told: case %#', (schema, value, expected) => {
  expect(message(schema, value)).toBe(expected);
});

test('names are kept without the spaces around them', () => {
  expect(z.parse(requiredText(), '  Reception ')).toBe('Reception');
});
