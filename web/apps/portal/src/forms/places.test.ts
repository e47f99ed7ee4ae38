import { expect, test } from 'vitest';

import { Places } from './places';

test('a name has a place as long as something shows it', () => {
  const places = new Places();
  const gone = places.add('numbers');
  places.add('emails');
  expect(places.names()).toEqual(['numbers', 'emails']);
  gone();
  expect(places.names()).toEqual(['emails']);
});

test('a place that another one takes over is not gone', () => {
  const places = new Places();
  const before = places.add('numbers');
  places.add('numbers');
  before();
  expect(places.names()).toEqual(['numbers']);
});
