/**
 * The typed HTTP client. Answers come back as values, everything else is thrown.
 */
import createClient from 'openapi-fetch';

import { sendConfirmed } from './confirmation';
import { sendOnce, sendPatiently } from './once';
import { parseProblem, Refusal, Unreachable } from './refusal';
import type { paths } from './schema';

export const client = createClient<paths>({
  credentials: 'same-origin',
  fetch: (request) => sendPatiently(request, sendConfirmed),
});
client.use(sendOnce());

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a successful answer. */
export async function answered<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (cause) {
    throw new Unreachable('no answer from the server', { cause });
  }
  if (!answer.response.ok) {
    throw new Refusal(answer.response.status, parseProblem(answer.error));
  }
  return answer.data as T;
}
