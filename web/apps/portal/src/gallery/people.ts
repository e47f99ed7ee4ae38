/**
 * Ten thousand people who are nobody, the same every time, and a server for them in memory.
 */
import { sortOf, type ListState } from '@tandem/ui';

export interface Person {
  id: string;
  name: string;
  city: string;
  phone: string;
  online: boolean;
}

const FIRST = ['Ada', 'Björn', 'Chloé', 'Dmitri', 'Elif', 'Fatima', 'Günther', 'Hana', 'Iker', 'Jún'];
const LAST = ['Andersen', 'Baumann', 'Costa', 'Dubois', 'Eriksson', 'Fischer', 'García', 'Horváth', 'Ivanov'];
const CITIES = ['Berlin', 'Genève', 'København', 'Łódź', 'Porto', 'Wien', 'Zürich'];
const COUNT = 10_000;

const pick = <Value>(values: readonly Value[], index: number) => values[index % values.length] as Value;

export const PEOPLE: readonly Person[] = Array.from({ length: COUNT }, (_, index) => ({
  id: `person-${index}`,
  name: `${pick(FIRST, index)} ${pick(LAST, index * 7)} ${String(index).padStart(5, '0')}`,
  city: pick(CITIES, index * 3),
  phone: `+49 30 ${1_000_000 + index}`,
  online: index % 3 === 0,
}));

/** What a server would answer. */
export function peopleOf({ search, sort, filters }: ListState): Person[] {
  const wanted = search.toLowerCase();
  const found = PEOPLE.filter(
    ({ name, city, online }) =>
      `${name} ${city}`.toLowerCase().includes(wanted) &&
      (!filters.status || filters.status.includes(online ? 'online' : 'offline')),
  );
  const order = sortOf(sort);
  if (!order) return found;
  const column = order.column as 'name' | 'city';
  const sign = order.descending ? -1 : 1;
  return found.toSorted((one, other) => sign * one[column].localeCompare(other[column]));
}
