/**
 * A trial of a provider: the server registers there for a moment, and what happens comes line by line.
 */
import { answered, client } from './client';
import { Unreachable } from './refusal';
import type { ProviderTestEvent, ProviderTestInput } from './types';

/** A provider that is saved, or without an id the one that the input names. */
interface Tried {
  tenant: string;
  id?: string | undefined;
}

/** The steps as they happen; the last one has `ended`. */
export async function* tryProvider(
  { tenant, id }: Tried,
  body: ProviderTestInput,
  signal: AbortSignal,
): AsyncGenerator<ProviderTestEvent> {
  const stream = await answered(
    id === undefined
      ? client.POST('/api/v1/tenants/{tenant}/providers/test', {
          params: { path: { tenant } },
          body,
          signal,
          parseAs: 'stream',
        })
      : client.POST('/api/v1/tenants/{tenant}/providers/{id}/test', {
          params: { path: { tenant, id } },
          body,
          signal,
          parseAs: 'stream',
        }),
  );
  if (!stream) return;
  for await (const line of lines(stream)) {
    yield JSON.parse(line) as ProviderTestEvent;
  }
}

/** The lines of a text that is still coming. */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await read(reader);
      rest += decoder.decode(value, { stream: !done });
      const whole = rest.split('\n');
      rest = done ? '' : (whole.pop() ?? '');
      yield* whole.filter((line) => line !== '');
      if (done) return;
    }
  } finally {
    // Whoever does not want the rest lets the server know. It may be gone already.
    reader.cancel().catch(() => undefined);
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch (cause) {
    throw new Unreachable('the answer broke off', { cause });
  }
}
