import { readFileSync } from 'node:fs';
import type { Webhook } from '@tandem/api';
import { expect, test } from 'vitest';

import { EVENTS, inputOf, newWebhook, stateOf, webhookSchema, wordOf } from './model';
import german from './texts.de.json';
import english from './texts.en.json';

const file = new URL('../../../../packages/api/openapi.json', import.meta.url);
const description = JSON.parse(readFileSync(file, 'utf8')) as {
  components: { schemas: { WebhookEvent: { oneOf?: { enum: string[] }[]; enum?: string[] } } };
};

test('every event that the server knows can be chosen and is called something, but for the test', () => {
  const { oneOf, enum: words } = description.components.schemas.WebhookEvent;
  const known = words ?? (oneOf ?? []).flatMap((one) => one.enum);
  expect(known.filter((event) => event !== 'webhook.test').toSorted()).toEqual([...EVENTS].toSorted());
  for (const texts of [english, german]) {
    expect(Object.keys(texts.webhooks.event).toSorted()).toEqual(known.map(wordOf).toSorted());
  }
});

function isGood(url: string): boolean {
  return webhookSchema.safeParse({ ...newWebhook, name: 'x', url, events: ['call.ended'] }).success;
}

function state(webhook: Partial<Webhook>) {
  return stateOf(webhook as Webhook);
}

test('only addresses that can be told are taken', () => {
  expect(isGood('https://example.com/events?x=1')).toBe(true);
  for (const url of [
    '',
    'http://example.com/',
    'https://',
    'https://a@example.com/',
    'https://example.com/#x',
  ]) {
    expect(isGood(url), url).toBe(false);
  }
});

test('events are sent in the order of the form, each once', () => {
  const events = ['call.ended', 'contact.created', 'call.ended'];
  expect(inputOf({ ...newWebhook, events }).events).toEqual(['contact.created', 'call.ended']);
});

test('the state says why a webhook is off, and whether its receiver is well', () => {
  expect(state({ enabled: true })).toBe('on');
  expect(state({ enabled: true, failing_since: '2026-11-23T09:00:00Z' })).toBe('failing');
  expect(state({ enabled: false })).toBe('off');
  expect(state({ enabled: false, off_reason: 'gone' })).toBe('gone');
  expect(state({ enabled: false, off_reason: 'failing' })).toBe('gave_up');
});
