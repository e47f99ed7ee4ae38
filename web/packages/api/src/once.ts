/**
 * Sends with each POST a key by which the server knows it again (draft-ietf-httpapi-idempotency-key-header-07).
 *
 * While there was no answer, the same request has the same key: whoever presses *Create* once more after a lost connection makes
 * nothing twice. Once there is an answer the next request is another one, even if it looks the same.
 */
import type { Middleware } from 'openapi-fetch';

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

  /** There was an answer. One of a server in trouble, or of something in between, does not tell whether it was done. */
  answered(request: string, status: number): void {
    if (status < 500) this.#keys.delete(request);
  }
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
    onResponse({ request, response }) {
      const text = texts.get(request);
      if (text !== undefined) open.answered(text, response.status);
      return undefined;
    },
  };
}
