import { expect, test } from 'vitest';

import { parseActivationLink } from './link';

const TOKEN = 'AbCdEfGhIjKlMnOpQrStUv';

test('the link leads to the softphone in two ways', () => {
  expect(parseActivationLink(`https://portal.example/activate#${TOKEN}`)).toEqual({
    link: `https://portal.example/activate#${TOKEN}`,
    deepLink: `tandem:activate?portal=https%3A%2F%2Fportal.example&token=${TOKEN}`,
    command: `softphone activate --link 'https://portal.example/activate#${TOKEN}'`,
  });
});

test('a portal below a path keeps it', () => {
  expect(parseActivationLink(`https://example.com/tandem/activate#${TOKEN}`)?.link).toBe(
    `https://example.com/tandem/activate#${TOKEN}`,
  );
});

test.each([
  ['no token', 'https://portal.example/activate'],
  ['an empty token', 'https://portal.example/activate#'],
  ['a cut token', 'https://portal.example/activate#AbCd'],
  ['a token that would end the quotes of the command', `https://portal.example/activate#${TOKEN}';reboot'`],
  [
    'a token with parameters of its own',
    `https://portal.example/activate#${TOKEN}&portal=https://evil.example`,
  ],
])('%s is refused', (_, address) => {
  expect(parseActivationLink(address)).toBeUndefined();
});

test('a query before the fragment is not passed on', () => {
  expect(parseActivationLink(`https://portal.example/activate?x=1#${TOKEN}`)?.link).toBe(
    `https://portal.example/activate#${TOKEN}`,
  );
});
