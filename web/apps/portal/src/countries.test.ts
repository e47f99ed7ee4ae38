import { describe, expect, it } from 'vitest';

import { countries, countriesWithNumbers, likelyCountry } from './countries';

describe('countries', () => {
  it('are those of the standard, by name', () => {
    const german = countries('de');
    expect(german).toHaveLength(249);
    expect(german.find(({ id }) => id === 'AT')?.label).toBe('Österreich');
    const labels = german.map(({ label }) => label);
    expect(labels).toEqual(labels.toSorted((one, other) => one.localeCompare(other, 'de')));
  });

  it('have numbers of their own, but for seven', () => {
    const ids = countriesWithNumbers('en').map(({ id }) => id);
    expect(ids).toHaveLength(242);
    expect(ids).toContain('DE');
    expect(ids).not.toContain('AQ');
  });

  it('are guessed from what the browser says', () => {
    expect(likelyCountry(['en', 'de-AT', 'de-DE'])).toBe('AT');
    expect(likelyCountry(['en', 'es-419'])).toBe('');
  });
});
