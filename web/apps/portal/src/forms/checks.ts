/**
 * Checks of single fields, as the server makes them too; here so that the answer comes while typing.
 *
 * A message is the key of a text below `invalid`, so that it can be shown in any language.
 */
import * as z from 'zod/mini';

// The page's content security policy forbids code made at run time.
z.config({ jitless: true });

export { z };

const HOST_NAME =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;
const IPV6 = /^\[?[0-9a-f:]*:[0-9a-f:.]*\]?$/i;
// The user part of RFC 3261 without escapes, as people write it.
const SIP_USER = /^[A-Za-z0-9\-_.!~*'()+&=$]+$/;
const EMAIL = /^[^\s@"<>]+@[^\s@"<>]+\.[^\s@"<>]+$|^[^\s@"<>]+@localhost$/;

export function requiredText(longest = 100) {
  return z
    .string()
    .check(z.trim(), z.minLength(1, 'invalid.required'), z.maxLength(longest, 'invalid.too_long'));
}

export function optionalText(longest = 100) {
  return z.string().check(z.trim(), z.maxLength(longest, 'invalid.too_long'));
}

export function chosen() {
  return z.string().check(z.minLength(1, 'invalid.choose'));
}

/** A host name or an IP address. */
export function isHost(text: string): boolean {
  if (/^[\d.]+$/.test(text)) {
    return IPV4.test(text) && text.split('.').every((byte) => Number(byte) <= 255);
  }
  return text.includes(':') ? IPV6.test(text) : HOST_NAME.test(text);
}

/** `host`, `host:port` or a SIP URI without a user. */
export function isOutboundProxy(text: string): boolean {
  const [address = ''] = text.replace(/^sips?:/i, '').split(';');
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(address);
  if (!match) return isHost(address);
  const [, server = '', port] = match;
  return isHost(server) && (port === undefined || isPort(port));
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

export function host() {
  return requiredText(253).check(z.refine((text) => text === '' || isHost(text), 'invalid.host'));
}

export function optionalHost() {
  return optionalText(300).check(
    z.refine((text) => text === '' || isOutboundProxy(text), 'invalid.outbound_proxy'),
  );
}

export function optionalPort() {
  return z.string().check(
    z.trim(),
    z.refine((text) => text === '' || isPort(text), 'invalid.port'),
  );
}

export function sipUser() {
  return requiredText(64).check(z.refine((text) => text === '' || SIP_USER.test(text), 'invalid.sip_user'));
}

export function email() {
  return requiredText(254).check(z.refine((text) => text === '' || EMAIL.test(text), 'invalid.email'));
}

/** A field that was left empty is not sent. */
export function filled(text: string): string | undefined {
  return text === '' ? undefined : text;
}
