/**
 * A webhook as its form has it, the way to and from the wire, and what can be said of its state.
 */
import type { Webhook, WebhookDelivery, WebhookDeliveryState, WebhookEvent, WebhookInput } from '@tandem/api';
import type { Tone } from '@tandem/ui';

import { requiredText, z } from '../forms/checks';

/** What can be chosen, by what it is about. */
export const GROUPS = {
  contact: ['contact.created', 'contact.updated', 'contact.deleted', 'import.committed'],
  device: [
    'device.created',
    'device.updated',
    'device.deleted',
    'device.activated',
    'device.online',
    'device.offline',
  ],
  account: [
    'account.created',
    'account.updated',
    'account.deleted',
    'account.registered',
    'account.unregistered',
  ],
  call: ['call.ended'],
  provider: ['provider.created', 'provider.updated', 'provider.deleted'],
  member: ['member.joined'],
} as const satisfies Record<string, readonly WebhookEvent[]>;

export type Group = keyof typeof GROUPS;

/** In the order of the form. */
export const EVENTS: readonly WebhookEvent[] = Object.values(GROUPS).flat();

export const webhookSchema = z.object({
  name: requiredText(),
  url: requiredText(2000).check(
    z.refine((text) => text === '' || /^https:\/\/[^\s"<>#@\\]+$/.test(text), 'invalid.https'),
  ),
  events: z.array(z.string()).check(z.minLength(1, 'webhooks.choose_events')),
  enabled: z.boolean(),
});

export type WebhookForm = z.infer<typeof webhookSchema>;

export const newWebhook: WebhookForm = { name: '', url: '', events: [], enabled: true };

export function formOf({ name, url, events, enabled }: Webhook): WebhookForm {
  return { name, url, events: [...events], enabled };
}

export function inputOf({ name, url, events, enabled }: WebhookForm): WebhookInput {
  return { name, url, events: EVENTS.filter((event) => events.includes(event)), enabled };
}

/** An event as a key of texts, which has no dots. */
export function wordOf(event: string): string {
  return event.replace('.', '_');
}

export type State = 'on' | 'failing' | 'off' | 'gone' | 'gave_up';

/** The most important thing that can be said of a webhook. */
export function stateOf({ enabled, off_reason, failing_since }: Webhook): State {
  if (enabled) return failing_since ? 'failing' : 'on';
  if (off_reason === 'gone') return 'gone';
  return off_reason === 'failing' ? 'gave_up' : 'off';
}

export const STATE_TONES: Record<State, Tone> = {
  on: 'good',
  failing: 'waiting',
  off: 'idle',
  gone: 'bad',
  gave_up: 'bad',
};

export const DELIVERY_TONES: Record<WebhookDeliveryState, Tone> = {
  waiting: 'waiting',
  delivered: 'good',
  failed: 'bad',
  dropped: 'idle',
};

/** Which deliveries are shown. */
export const FILTERS = {
  all: [],
  waiting: ['waiting'],
  delivered: ['delivered'],
  failed: ['failed', 'dropped'],
} as const satisfies Record<string, readonly WebhookDeliveryState[]>;

export type Filter = keyof typeof FILTERS;

/** It waits for an attempt after one that failed. */
export function isRetried({ state, attempts, reason }: WebhookDelivery): boolean {
  return state === 'waiting' && attempts > 0 && Boolean(reason);
}
