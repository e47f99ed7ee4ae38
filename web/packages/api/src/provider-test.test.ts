import { expect, test } from 'vitest';

import { lines } from './provider-test';
import { Unreachable } from './refusal';

function streamOf(chunks: Uint8Array[], end?: Error): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const next = chunks.shift();
      if (next) controller.enqueue(next);
      else if (end) controller.error(end);
      else controller.close();
    },
  });
}

async function all(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines(stream)) found.push(line);
  return found;
}

test('lines are whole however the bytes are cut', async () => {
  const bytes = new TextEncoder().encode('{"a":"ä"}\n{"b":1}\n');
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  expect(await all(streamOf(single))).toEqual(['{"a":"ä"}', '{"b":1}']);
  expect(await all(streamOf([bytes]))).toEqual(['{"a":"ä"}', '{"b":1}']);
  const cut = new TextEncoder().encode('one\ntwo');
  expect(await all(streamOf([cut]))).toEqual(['one', 'two']);
  expect(await all(streamOf([]))).toEqual([]);
});

test('an answer that breaks off is told as a server that is away', async () => {
  const begun = new TextEncoder().encode('one\nhal');
  const found: string[] = [];
  const read = async () => {
    for await (const line of lines(streamOf([begun], new TypeError('network error')))) found.push(line);
  };
  await expect(read()).rejects.toBeInstanceOf(Unreachable);
  expect(found).toEqual(['one']);
});
