import createClient from 'openapi-fetch';
import { expect, test } from 'vitest';

import { OpenRequests, sendOnce } from './once';

function requests() {
  let count = 0;
  return new OpenRequests(() => `key ${(count += 1)}`);
}

test('a request without an answer keeps its key', () => {
  const open = requests();
  expect(open.open('a')).toBe('key 1');
  expect(open.open('a')).toBe('key 1');
  expect(open.open('b')).toBe('key 2');
});

test('an answer ends it, whatever it says; trouble on the way does not', () => {
  const open = requests();
  open.open('a');
  open.answered('a', 503);
  expect(open.open('a')).toBe('key 1');
  open.answered('a', 422);
  expect(open.open('a')).toBe('key 2');
});

test('only so many are remembered', () => {
  const open = requests();
  for (let number = 0; number <= 100; number += 1) open.open(`request ${number}`);
  expect(open.open('request 100')).toBe('key 101');
  expect(open.open('request 0')).toBe('key 102');
});

interface Paths {
  '/things': {
    post: { requestBody: { content: { 'application/json': { name: string } } }; responses: object };
  };
}

test('a create that is sent again after a lost answer has the same key', async () => {
  const keys: (string | null)[] = [];
  const client = createClient<Paths>({
    baseUrl: 'http://portal.test',
    fetch: async (request: Request) => {
      keys.push(request.headers.get('Idempotency-Key'));
      if (keys.length === 1) throw new TypeError('connection lost');
      return new Response('{}', { status: 201, headers: { 'Content-Type': 'application/json' } });
    },
  });
  client.use(sendOnce());
  const send = (name: string) => client.POST('/things', { body: { name } });
  await expect(send('one')).rejects.toThrow('connection lost');
  await send('one');
  await send('one');
  await send('two');
  expect(keys[0]).toMatch(/^"[0-9a-f]{32}"$/);
  expect(keys[1]).toBe(keys[0]);
  expect(new Set(keys).size).toBe(3);
});
