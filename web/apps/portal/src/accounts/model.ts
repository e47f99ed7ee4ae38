/**
 * A SIP account as its form has it, and the way to and from the wire.
 *
 * The password is only ever sent: an empty field means "as it is", or "make one" at Tandem's own proxy.
 */
import type { Account, AccountInput, AccountStatus, Codec, Provider } from '@tandem/api';
import type { Tone } from '@tandem/ui';

import { chosen, filled, optionalText, requiredText, sipUser, z } from '../forms/checks';
import { TRANSPORTS } from '../providers/model';
import { dialingRules, ruleFormOf, ruleOf } from './dialing';

export const CODECS = ['opus', 'g722', 'pcma', 'pcmu'] as const satisfies Codec[];

/** Names that people know. */
export const CODEC_NAMES: Record<Codec, string> = {
  opus: 'Opus',
  g722: 'G.722',
  pcma: 'G.711 A-law',
  pcmu: 'G.711 µ-law',
};

const fields = z.object({
  provider_id: chosen(),
  name: requiredText(),
  username: sipUser(),
  password: z.string().check(z.maxLength(128, 'invalid.too_long')),
  enter_on_device: z.boolean(),
  auth_username: optionalText(64),
  display_name: optionalText(),
  transport: z.enum(['provider', ...TRANSPORTS]),
  codecs: z.array(z.enum(CODECS)).check(z.minLength(1, 'invalid.codec')),
  dialing_rules: dialingRules,
  push: z.boolean(),
});

export type AccountForm = z.infer<typeof fields>;

/** Who keeps the password decides whether one must be typed here. */
export type PasswordRule = 'required' | 'optional';

/** Tandem's own proxy makes passwords itself, and a saved one need not be typed again. */
export function passwordRule(provider: Provider | undefined, saved: Account | undefined): PasswordRule {
  if (provider?.own) return 'optional';
  return saved && !saved.enter_on_device ? 'optional' : 'required';
}

export function accountSchema(providers: Provider[], saved?: Account) {
  return fields.check(
    z.refine(
      ({ provider_id, password, enter_on_device }) => {
        const provider = providers.find(({ id }) => id === provider_id);
        return enter_on_device || password !== '' || passwordRule(provider, saved) === 'optional';
      },
      { message: 'invalid.required', path: ['password'] },
    ),
  );
}

export function newAccount(provider_id: string, push = true): AccountForm {
  return {
    provider_id,
    name: '',
    username: '',
    password: '',
    enter_on_device: false,
    auth_username: '',
    display_name: '',
    transport: 'provider',
    codecs: [...CODECS],
    dialing_rules: [],
    push,
  };
}

export function formOf(account: Account): AccountForm {
  return {
    provider_id: account.provider_id,
    name: account.name,
    username: account.username,
    password: '',
    enter_on_device: account.enter_on_device,
    auth_username: account.auth_username ?? '',
    display_name: account.display_name ?? '',
    transport: account.transport ?? 'provider',
    codecs: account.codecs,
    dialing_rules: (account.dialing_rules ?? []).map(ruleFormOf),
    push: account.push,
  };
}

export function inputOf(form: AccountForm, provider: Provider | undefined): AccountInput {
  const onDevice = form.enter_on_device && !provider?.own;
  return {
    provider_id: form.provider_id,
    name: form.name,
    username: form.username,
    password: onDevice ? undefined : filled(form.password),
    enter_on_device: onDevice,
    auth_username: filled(form.auth_username),
    display_name: filled(form.display_name),
    transport: form.transport === 'provider' ? undefined : form.transport,
    codecs: form.codecs,
    dialing_rules: form.dialing_rules.map(ruleOf),
    push: form.push && !onDevice,
  };
}

export const ACCOUNT_TONES: Record<AccountStatus, Tone> = {
  online: 'good',
  offline: 'idle',
  not_in_use: 'info',
};
