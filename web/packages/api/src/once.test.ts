import createClient from 'openapi-fetch';
import { expect, test } from 'vitest';

import { OpenRequests, sendOnce, sendPatiently } from './once';

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

test('once it is known what became of it the next one has another key', () => {
  const open = requests();
  open.open('a');
  open.settled('a');
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

/** Sends the same request once for each answer; gives the keys that the server saw. */
async function keysOf(...answers: Response[]): Promise<(string | null)[]> {
  const keys: (string | null)[] = [];
  const client = createClient<Paths>({
    baseUrl: 'http://portal.test',
    fetch: async (request: Request) => {
      keys.push(request.headers.get('Idempotency-Key'));
      return answers[keys.length - 1] as Response;
    },
  });
  client.use(sendOnce());
  for (const _ of answers) await client.POST('/things', { body: { name: 'one' } });
  return keys;
}

function problem(status: number, type: string, headers: Record<string, string> = {}): Response {
  const body = { type, title: 'Refused', status, detail: 'No.', request_id: 'r' };
  return Response.json(body, { status, headers });
}

const done = () => Response.json({}, { status: 201 });

test.each([
  [503, 'about:blank'],
  [409, 'in-progress'],
  [401, 'about:blank'],
  [403, 'confirmation-required'],
  [429, 'too-many'],
])('after %i %s nobody knows whether it was done, so the key stays', async (status, type) => {
  const [first, second, third] = await keysOf(problem(status, type), done(), done());
  expect(second).toBe(first);
  expect(third).not.toBe(second);
});

test.each([
  [422, 'invalid'],
  [409, 'conflict'],
  [409, 'answer-lost'],
])('after %i %s the next one is another request', async (status, type) => {
  const [first, second] = await keysOf(problem(status, type), done());
  expect(second).not.toBe(first);
});

/** Sends once; gives the last status, how often the server was asked and how long was waited. */
async function patience(answers: Response[]) {
  const bodies: string[] = [];
  const waits: number[] = [];
  const request = new Request('http://portal.test/things', { method: 'POST', body: 'one' });
  const send = async (sent: Request) => {
    bodies.push(await sent.text());
    return answers.shift() as Response;
  };
  const wait = async (seconds: number) => {
    waits.push(seconds);
  };
  return { status: (await sendPatiently(request, send, wait)).status, bodies, waits };
}

const busy = () => problem(409, 'in-progress', { 'Retry-After': '2' });

test('what is still being carried out is asked for again, whole, after as long as the server says', async () => {
  expect(await patience([busy(), busy(), done()])).toEqual({
    status: 201,
    bodies: ['one', 'one', 'one'],
    waits: [2, 2],
  });
});

test('patience has an end', async () => {
  const answers = Array.from({ length: 9 }, () => problem(409, 'in-progress'));
  expect(await patience(answers)).toMatchObject({ status: 409, waits: [1, 1, 1, 1] });
});

test('another refusal is told at once', async () => {
  expect(await patience([problem(409, 'conflict')])).toMatchObject({ status: 409, waits: [] });
});

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
