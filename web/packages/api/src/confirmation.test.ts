import { afterEach, expect, test, vi } from 'vitest';

import { confirmation, sendConfirmed } from './confirmation';

const REFUSED = { type: 'confirmation-required', title: 'Forbidden', status: 403, detail: 'Please confirm.' };

/** A server that says these one after the other, and notes what it was sent. */
function server(...answers: (() => Response)[]) {
  const sent: string[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    sent.push(await request.text());
    return answers.shift()?.() ?? new Response(null, { status: 500 });
  });
  return sent;
}

const refused = () => Response.json(REFUSED, { status: 403 });
const done = () => Response.json({ done: true });
const request = (body: string) => new Request('http://portal.example/', { method: 'POST', body });

afterEach(() => vi.unstubAllGlobals());

async function asked() {
  await vi.waitUntil(() => confirmation.isWanted());
}

test('what was refused is sent again once the person has proved who they are', async () => {
  const sent = server(refused, done);
  const answer = sendConfirmed(request('typed'));
  await asked();
  confirmation.answer(true);
  expect((await answer).status).toBe(200);
  expect(sent).toEqual(['typed', 'typed']);
  expect(confirmation.isWanted()).toBe(false);
});

test('who would not prove it gets the refusal', async () => {
  const sent = server(refused);
  const answer = sendConfirmed(request('typed'));
  await asked();
  confirmation.answer(false);
  expect(await (await answer).json()).toEqual(REFUSED);
  expect(sent).toHaveLength(1);
});

test('other refusals and answers pass as they are', async () => {
  server(
    done,
    () => new Response('no', { status: 403 }),
    () => Response.json({ ...REFUSED, type: 'x' }, { status: 403 }),
  );
  expect((await sendConfirmed(request(''))).status).toBe(200);
  expect((await sendConfirmed(request(''))).status).toBe(403);
  expect((await sendConfirmed(request(''))).status).toBe(403);
  expect(confirmation.isWanted()).toBe(false);
});
