import { PLAIN } from '@tandem/ui';
import { expect, test } from 'vitest';

import { browserViews } from './views';

function storage(kept: Record<string, string> = {}) {
  return {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => {
      kept[key] = value;
    },
  };
}

const online = { ...PLAIN, name: 'Online', filters: { status: ['online'] } };

test('a saved view comes back, in the order of names', async () => {
  const store = browserViews(storage(), 'k');
  await store.save(online);
  await store.save({ ...PLAIN, name: 'Ann', search: 'ann' });
  expect((await store.read()).map(({ name }) => name)).toEqual(['Ann', 'Online']);
});

test('a view of the same name is replaced, another stays', async () => {
  const store = browserViews(storage(), 'k');
  await store.save(online);
  await store.save({ ...PLAIN, name: 'Ann' });
  await store.save({ ...online, filters: {} });
  expect((await store.read()).map(({ name, filters }) => [name, filters])).toEqual([
    ['Ann', {}],
    ['Online', {}],
  ]);
});

test('a removed view is gone', async () => {
  const store = browserViews(storage(), 'k');
  await store.save(online);
  const [view] = await store.read();
  await store.remove(view?.id ?? '');
  expect(await store.read()).toEqual([]);
});

test('what cannot be read counts as no views', async () => {
  expect(await browserViews(storage({ k: '{broken' }), 'k').read()).toEqual([]);
  expect(await browserViews(storage({ k: '{"a":1}' }), 'k').read()).toEqual([]);
});
