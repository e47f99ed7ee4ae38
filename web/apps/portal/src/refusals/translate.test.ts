import { expect, test } from 'vitest';

import { translator } from './translate';

const translate = translator({
  'This is taken already.': 'Das ist schon vergeben.',
  'Please use at most {{max}} characters.': 'Bitte höchstens {{max}} Zeichen.',
  'Still in use by: {{names}}.': 'Noch in Gebrauch von: {{names}}.',
  'Still in use by: {{names}} and {{others}} more.':
    'Noch in Gebrauch von: {{names}} und {{others}} weiteren.',
  '{{name}} in {{place}}?': 'In {{place}}: {{name}}?',
  'too late': 'zu spät',
});

test.each([
  ['This is taken already.', 'Das ist schon vergeben.'],
  ['Please use at most 40 characters.', 'Bitte höchstens 40 Zeichen.'],
  ['Still in use by: Desk (2.1), $1.', 'Noch in Gebrauch von: Desk (2.1), $1.'],
  ['Still in use by: Desk, Hall and 3 more.', 'Noch in Gebrauch von: Desk, Hall und 3 weiteren.'],
  ['Desk in Hall?', 'In Hall: Desk?'],
  ['This is taken already. (too late)', 'Das ist schon vergeben. (zu spät)'],
  ['This is taken already. (550 no)', 'Das ist schon vergeben. (550 no)'],
])('%s', (sentence, expected) => {
  expect(translate(sentence)).toBe(expected);
});

test.each(['550 5.1.1 unknown user', '', 'toString', 'Whatever. (too late)'])(
  'what is not known stays as it is: %s',
  (sentence) => {
    expect(translate(sentence)).toBe(sentence);
  },
);
