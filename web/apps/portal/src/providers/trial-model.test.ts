import type { ProviderTestEvent } from '@tandem/api';
import { expect, test } from 'vitest';

import { endOf, isForeign, messagesOf, NO_ACCOUNT, realmOf, stepsOf, trialInput } from './trial-model';

const events: ProviderTestEvent[] = [
  { after_ms: 0, step: 'looking_up', host: 'sip.example.com' },
  { after_ms: 2, step: 'trying', address: '192.0.2.1:5060', transport: 'udp' },
  {
    after_ms: 2,
    step: 'message',
    received: false,
    address: '192.0.2.1:5060',
    transport: 'udp',
    first_line: 'REGISTER sip:example.com SIP/2.0',
    text: 'REGISTER sip:example.com SIP/2.0\n',
  },
  { after_ms: 3, step: 'challenged', realm: 'old', algorithms: ['MD5'] },
  { after_ms: 4, step: 'challenged', realm: 'pbx', algorithms: ['MD5'] },
  { after_ms: 9, step: 'ended', result: 'wrong_password', status: 401 },
];

test('messages and the end stand apart from the steps', () => {
  expect(stepsOf(events).map(({ step }) => step)).toEqual([
    'looking_up',
    'trying',
    'challenged',
    'challenged',
  ]);
  expect(messagesOf(events)).toHaveLength(1);
  expect(endOf(events)?.result).toBe('wrong_password');
  expect(endOf(events.slice(0, 3))).toBeUndefined();
  expect(realmOf(events)).toBe('pbx');
  expect(realmOf([])).toBeUndefined();
});

test('a realm of the same house is not foreign', () => {
  expect(isForeign('Example.com', 'example.com')).toBe(false);
  expect(isForeign('example.com', 'sip.example.com')).toBe(false);
  expect(isForeign('reg.example.com', 'example.com')).toBe(false);
  expect(isForeign('asterisk', 'example.com')).toBe(true);
  expect(isForeign('badexample.com', 'example.com')).toBe(true);
});

test('a saved account is named, a typed one goes with what is not saved', () => {
  expect(trialInput({ id: 'a1', password: '' })).toEqual({ account_id: 'a1', password: undefined });
  expect(trialInput({ id: 'a1', password: 'x' })).toEqual({ account_id: 'a1', password: 'x' });
  const provider = { name: '', server: 'sip.example.com', transport: 'tls' } as const;
  expect(trialInput({ ...NO_ACCOUNT, username: 'u' }, provider)).toEqual({
    username: 'u',
    auth_username: undefined,
    password: undefined,
    provider: { ...provider, name: 'sip.example.com' },
  });
});
