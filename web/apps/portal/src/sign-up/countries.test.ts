import { describe, expect, it } from 'vitest';

import { countries, likelyCountry } from './countries';

describe('countries', () => {
  it('are those of the standard, by name', () => {
    const german = countries('de');
    expect(german).toHaveLength(249);
    expect(german.find(({ id }) => id === 'AT')?.label).toBe('Österreich');
    const labels = german.map(({ label }) => label);
    expect(labels).toEqual(labels.toSorted((one, other) => one.localeCompare(other, 'de')));
  });

  it('are guessed from what the browser says', () => {
    expect(likelyCountry(['en', 'de-AT', 'de-DE'])).toBe('AT');
    expect(likelyCountry(['en', 'es-419'])).toBe('');
  });
});
