/**
 * Mail settings as their form has them, and the way to and from the wire.
 */
import type { Mail, MailKind, MailSecurity, MailSettings, MailSettingsInput } from '@tandem/api';
import type { Tone } from '@tandem/ui';

import { email, filled, isHost, optionalPort, optionalText, z } from '../forms/checks';

export const SECURITIES = ['starttls', 'tls', 'none'] as const;
export const LANGUAGES = ['en', 'de'] as const;
export const SYSTEMS = ['windows', 'macos', 'linux', 'android', 'ios'] as const;
export const KINDS = [
  'activation',
  'invitation',
  'password_reset',
  'confirm_address',
  'sign_up',
  'address_changed',
  'security_notice',
  'webhook_off',
  'test',
] as const satisfies readonly MailKind[];

export const STATES = [
  'queued',
  'sent',
  'kept',
  'failed',
  'superseded',
] as const satisfies readonly Mail['state'][];

export const STATE_TONES: Record<Mail['state'], Tone> = {
  queued: 'waiting',
  sent: 'good',
  kept: 'waiting',
  failed: 'bad',
  superseded: 'idle',
};

/** The port that servers usually listen on. */
export const USUAL_PORT: Record<MailSecurity, number> = { starttls: 587, tls: 465, none: 25 };

const appLink = () =>
  optionalText(500).check(
    z.refine((text) => text === '' || /^https:\/\/[^\s"<>]+$/.test(text), 'invalid.https'),
  );

const serverSchema = z.object({
  host: optionalText(253),
  port: optionalPort(),
  security: z.enum(SECURITIES),
  sender_name: optionalText(),
  sender_address: optionalText(254),
  username: optionalText(254),
  password: z.string(),
});

export const mailSchema = z
  .object({
    language: z.enum(LANGUAGES),
    reply_to: optionalText(254),
    own: z.boolean(),
    server: serverSchema,
    apps: z.object({
      windows: appLink(),
      macos: appLink(),
      linux: appLink(),
      android: appLink(),
      ios: appLink(),
    }),
  })
  .check((context) => {
    const { own, server, reply_to } = context.value;
    const wrong = (path: string[], message: string) =>
      context.issues.push({ code: 'custom', input: context.value, path, message });
    if (reply_to !== '' && !isEmail(reply_to)) wrong(['reply_to'], 'invalid.email');
    if (!own) return;
    if (server.host === '') wrong(['server', 'host'], 'invalid.required');
    else if (!isHost(server.host)) wrong(['server', 'host'], 'invalid.host');
    if (server.sender_address === '') wrong(['server', 'sender_address'], 'invalid.required');
    else if (!isEmail(server.sender_address)) wrong(['server', 'sender_address'], 'invalid.email');
  });

export type MailForm = z.infer<typeof mailSchema>;

function isEmail(text: string): boolean {
  return email().safeParse(text).success;
}

export function formOf({ language, reply_to, server, apps }: MailSettings): MailForm {
  return {
    language,
    reply_to: reply_to ?? '',
    own: server !== undefined && server !== null,
    server: {
      host: server?.host ?? '',
      port: server ? String(server.port) : '',
      security: server?.security ?? 'starttls',
      sender_name: server?.sender_name ?? '',
      sender_address: server?.sender_address ?? '',
      username: server?.username ?? '',
      password: '',
    },
    apps: {
      windows: apps.windows ?? '',
      macos: apps.macos ?? '',
      linux: apps.linux ?? '',
      android: apps.android ?? '',
      ios: apps.ios ?? '',
    },
  };
}

export function inputOf({ language, reply_to, own, server, apps }: MailForm): MailSettingsInput {
  return {
    language,
    reply_to: filled(reply_to),
    apps: {
      windows: filled(apps.windows),
      macos: filled(apps.macos),
      linux: filled(apps.linux),
      android: filled(apps.android),
      ios: filled(apps.ios),
    },
    server: own
      ? {
          host: server.host,
          port: server.port === '' ? USUAL_PORT[server.security] : Number(server.port),
          security: server.security,
          sender_name: filled(server.sender_name),
          sender_address: server.sender_address,
          username: filled(server.username),
          password: filled(server.password),
        }
      : undefined,
  };
}
