import { PLAIN } from '@tandem/ui';
import { expect, test } from 'vitest';

import { addressText, afterAddress, type OwnAddresses } from './own-address';

const plain = addressText(PLAIN);
const sorted = addressText({ ...PLAIN, sort: 'company' });
const deep = addressText(PLAIN, { after: 'cursor', row: 100 });
const sent = (...addresses: string[]): OwnAddresses => ({ seen: plain, sent: addresses });

test('an address that the list asked for is its own', () => {
  expect(afterAddress(sent(deep), deep)).toEqual({ own: { seen: deep, sent: [] }, foreign: false });
});

test('an address that nobody here asked for comes from outside', () => {
  expect(afterAddress(sent(), deep).foreign).toBe(true);
});

test('of two in a row both are its own, also when only the last is ever shown', () => {
  const { own, foreign } = afterAddress(sent(sorted, deep), sorted);
  expect({ own, foreign }).toEqual({ own: { seen: sorted, sent: [deep] }, foreign: false });
  expect(afterAddress(own, deep).foreign).toBe(false);
  expect(afterAddress(sent(sorted, deep), deep)).toEqual({ own: { seen: deep, sent: [] }, foreign: false });
});

test('the same address from outside later is not taken for its own', () => {
  const { own } = afterAddress(sent(deep), deep);
  const elsewhere = afterAddress(own, plain);
  expect(elsewhere.foreign).toBe(true);
  expect(afterAddress(elsewhere.own, deep).foreign).toBe(true);
});

const filters = (names: string[]) => Object.fromEntries(names.map((name) => [name, ['on']]));

test('the order of the parameters does not matter', () => {
  const one = addressText({ ...PLAIN, filters: filters(['a', 'b']) });
  expect(one).toBe(addressText({ ...PLAIN, filters: filters(['b', 'a']) }));
});
