/**
 * A provider as its form has it, and the way to and from the wire.
 */
import type { Provider, ProviderInput } from '@tandem/api';

import { filled, host, optionalHost, optionalPort, requiredText, z } from '../forms/checks';

export const TRANSPORTS = ['udp', 'tcp', 'tls'] as const;

export const providerSchema = z.object({
  name: requiredText(),
  server: host(),
  port: optionalPort(),
  transport: z.enum(TRANSPORTS),
  outbound_proxy: optionalHost(),
});

export type ProviderForm = z.infer<typeof providerSchema>;

export const newProvider: ProviderForm = {
  name: '',
  server: '',
  port: '',
  transport: 'udp',
  outbound_proxy: '',
};

export function formOf(provider: Provider): ProviderForm {
  return {
    name: provider.name,
    server: provider.server,
    port: provider.port ? String(provider.port) : '',
    transport: provider.transport,
    outbound_proxy: provider.outbound_proxy ?? '',
  };
}

export function inputOf(form: ProviderForm): ProviderInput {
  return {
    name: form.name,
    server: form.server,
    port: form.port === '' ? undefined : Number(form.port),
    transport: form.transport,
    outbound_proxy: filled(form.outbound_proxy),
  };
}

/** `server:port`, as one writes it down. */
export function addressOf({ server, port }: Pick<Provider, 'server' | 'port'>): string {
  return port ? `${server}:${port}` : server;
}
