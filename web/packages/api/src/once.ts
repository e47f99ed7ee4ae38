/**
 * Sends with each POST a key by which the server knows it again (draft-ietf-httpapi-idempotency-key-header-07).
 *
 * Until it is known what became of a request, the same request has the same key: whoever presses *Create* once more after a lost
 * connection makes nothing twice, where the server takes the key. It does not where its answer holds a secret. Once the
 * answer is there the next request is another one, even if it looks the same.
 */
import type { Middleware } from 'openapi-fetch';

import { parseProblem } from './refusal';

const FIELD = 'Idempotency-Key';

/** Keys of requests without an answer; the oldest gives way. */
const MOST_KEYS = 100;

export class OpenRequests {
  readonly #keys = new Map<string, string>();
  readonly #make: () => string;

  constructor(make: () => string) {
    this.#make = make;
  }

  /** The key of a request that is about to be sent. */
  open(request: string): string {
    const key = this.#keys.get(request) ?? this.#make();
    this.#keys.set(request, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= MOST_KEYS) break;
      this.#keys.delete(oldest);
    }
    return key;
  }

  /** It is known what became of the request. */
  settled(request: string): void {
    this.#keys.delete(request);
  }
}

/** Refused before anybody looked whether it was done before: not signed in, not allowed or not proved, too often. */
const NOT_LOOKED_AT = new Set([401, 403, 408, 429]);

/** Whether an answer tells what became of the request. One of a server in trouble, or of something in between, does not. */
async function settles(response: Response): Promise<boolean> {
  if (response.status >= 500 || NOT_LOOKED_AT.has(response.status)) return false;
  return !(await isInProgress(response));
}

/** The first request with this key is still being carried out. */
async function isInProgress(response: Response): Promise<boolean> {
  if (response.status !== 409) return false;
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return parseProblem(body)?.type === 'in-progress';
}

/** How often the same request is sent while the first is being carried out. */
const MOST_TRIES = 5;

/**
 * Sends a request, and again with the same key while the server says that it is still at it: so the answer of the first is had,
 * and nobody has to press twice.
 */
export async function sendPatiently(
  request: Request,
  send: (request: Request) => Promise<Response>,
  wait: (seconds: number) => Promise<void> = pause,
): Promise<Response> {
  let next = request;
  for (let tries = 1; ; tries += 1) {
    const again = next.clone();
    const response = await send(next);
    if (tries === MOST_TRIES || !(await isInProgress(response))) return response;
    await wait(Number(response.headers.get('Retry-After')) || 1);
    next = again;
  }
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** Also where the page was not loaded over HTTPS, and `crypto.randomUUID` is absent. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function textOf(request: Request): Promise<string> {
  return `${request.url}\n${await request.clone().text()}`;
}

export function sendOnce(): Middleware {
  const open = new OpenRequests(randomKey);
  const texts = new WeakMap<Request, string>();
  return {
    async onRequest({ request }) {
      if (request.method !== 'POST') return undefined;
      const text = await textOf(request);
      texts.set(request, text);
      request.headers.set(FIELD, `"${open.open(text)}"`);
      return request;
    },
    async onResponse({ request, response }) {
      const text = texts.get(request);
      if (text !== undefined && (await settles(response))) open.settled(text);
      return undefined;
    },
  };
}
