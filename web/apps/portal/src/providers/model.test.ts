import type { Provider } from '@tandem/api';
import { expect, test } from 'vitest';

import { addressOf, formOf, inputOf, newProvider } from './model';

const provider: Provider = {
  id: 'p1',
  name: 'Telco',
  server: 'sip.example.com',
  port: 5061,
  transport: 'tls',
  own: false,
  accounts: 0,
  version: 3,
};

test('what was read is sent back unchanged', () => {
  expect(inputOf(formOf(provider))).toEqual({
    name: 'Telco',
    server: 'sip.example.com',
    port: 5061,
    transport: 'tls',
    outbound_proxy: undefined,
  });
});

test('an empty port is not sent', () => {
  expect(inputOf({ ...newProvider, name: 'a', server: 'b' }).port).toBeUndefined();
});

test('the port is part of the address only when there is one', () => {
  expect(addressOf(provider)).toBe('sip.example.com:5061');
  expect(addressOf({ server: 'sip.example.com' })).toBe('sip.example.com');
});
