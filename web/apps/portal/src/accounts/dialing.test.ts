import { expect, test } from 'vitest';

import vectors from '../../../../../tests/data/dialing-rules/vectors.json';
import { z } from '../forms/checks';
import { dialed, dialingRules, newRule, ruleFormOf, ruleOf, withoutSeparators } from './dialing';

function wrong(rule: object): string[] {
  const { error } = z.safeParse(dialingRules, [{ ...newRule, ...rule }]);
  return (error?.issues ?? []).map(({ message }) => message);
}

test.each(vectors)('$what, as on the phone', ({ rules, numbers }) => {
  for (const [number, called] of Object.entries(numbers)) {
    expect(dialed(number, rules).number, number).toBe(called);
  }
});

test('the rule that fitted is told', () => {
  const rules = [
    { starts_with: '00', replace_with: '+', minimum_length: 0 },
    { starts_with: '0', replace_with: '+49', minimum_length: 6 },
  ];
  expect(dialed('030123', rules)).toEqual({ number: '+4930123', rule: 1 });
  expect(dialed('0301', rules)).toEqual({ number: '0301' });
});

test('numbers are tried as people write them', () => {
  expect(withoutSeparators('(017) 444-87/46')).toBe('0174448746');
});

test('a rule survives its form', () => {
  const rule = { starts_with: '017', replace_with: '1', minimum_length: 5 };
  expect(ruleOf(ruleFormOf(rule))).toEqual(rule);
  expect(ruleOf(newRule)).toEqual({ starts_with: '', replace_with: '', minimum_length: 0 });
});

test('what cannot be in a number is said beside its field', () => {
  expect(wrong({ starts_with: ' +49 ' })).toEqual([]);
  expect(wrong({ starts_with: '0x' })).toEqual(['invalid.dialed']);
  expect(wrong({ replace_with: '1'.repeat(21) })).toEqual(['invalid.too_long']);
  expect(wrong({ minimum_length: '41' })).toEqual(['invalid.length']);
  expect(wrong({ minimum_length: '-1' })).toEqual(['invalid.length']);
});
