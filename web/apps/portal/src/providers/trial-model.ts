/**
 * What a trial says of a provider.
 */
import type { ProviderInput, ProviderTestEvent, ProviderTestInput, ProviderTestResult } from '@tandem/api';

import { filled } from '../forms/checks';

type Step = ProviderTestEvent['step'];
export type EventOf<Name extends Step> = Extract<ProviderTestEvent, { step: Name }>;

/** An account that is typed for the trial. */
export interface TypedAccount {
  username: string;
  auth_username: string;
  password: string;
}

export const NO_ACCOUNT: TypedAccount = { username: '', auth_username: '', password: '' };

/** What is asked of the server: a saved account, or one that was typed, at what is saved or at `provider`. */
export function trialInput(
  account: { id: string; password: string } | TypedAccount,
  provider?: ProviderInput,
): ProviderTestInput {
  if ('id' in account) return { account_id: account.id, password: filled(account.password) };
  const { username, auth_username, password } = account;
  return {
    username,
    auth_username: filled(auth_username),
    password: filled(password),
    provider: provider && { ...provider, name: provider.name || provider.server },
  };
}

/** Messages are for experts, the end stands alone. */
export function stepsOf(events: readonly ProviderTestEvent[]): ProviderTestEvent[] {
  return events.filter(({ step }) => step !== 'message' && step !== 'ended');
}

export function messagesOf(events: readonly ProviderTestEvent[]): EventOf<'message'>[] {
  return events.filter((event): event is EventOf<'message'> => event.step === 'message');
}

export function endOf(events: readonly ProviderTestEvent[]): EventOf<'ended'> | undefined {
  return events.find((event): event is EventOf<'ended'> => event.step === 'ended');
}

/** For whom the server wanted the password. */
export function realmOf(events: readonly ProviderTestEvent[]): string | undefined {
  return events.findLast((event): event is EventOf<'challenged'> => event.step === 'challenged')?.realm;
}

/** Whether a realm is spoken of as something else than the server: `sip.example.com` and `example.com` are one house. */
export function isForeign(realm: string, server: string): boolean {
  const [one, other] = [realm.toLowerCase(), server.toLowerCase()];
  return one !== other && !one.endsWith(`.${other}`) && !other.endsWith(`.${one}`);
}

export function isGood(result: ProviderTestResult): boolean {
  return result === 'good' || result === 'still_registered';
}
