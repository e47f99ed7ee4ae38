/**
 * Where the palette looks on the server: each kind of thing with its name in a line.
 */
import { findRows } from '@tandem/api';
import type { CommandGroup } from '@tandem/ui';
import type { ParseKeys } from 'i18next';

import { nameOf } from '../contacts/model';

interface Found {
  id: string;
  label: string;
  detail?: string | undefined;
}

interface Source {
  title: ParseKeys<'portal'>;
  /** Where one of them is shown, below `/t/{slug}`. */
  rest: string;
  find: (tenant: string, text: string, most: number) => Promise<Found[]>;
}

export const SOURCES: readonly Source[] = [
  {
    title: 'contacts.title',
    rest: '/contacts',
    find: async (tenant, text, most) =>
      (await findRows({ tenant, name: 'contacts' }, text, most)).map((contact) => ({
        id: contact.id,
        label: nameOf(contact),
        detail: contact.emails[0]?.address,
      })),
  },
  {
    title: 'devices.title',
    rest: '/devices',
    find: async (tenant, text, most) =>
      (await findRows({ tenant, name: 'devices' }, text, most)).map(({ id, name, contact }) => ({
        id,
        label: name,
        detail: contact.name,
      })),
  },
  {
    title: 'accounts.title',
    rest: '/accounts',
    find: async (tenant, text, most) =>
      (await findRows({ tenant, name: 'accounts' }, text, most)).map(({ id, name, aor }) => ({
        id,
        label: name,
        detail: aor,
      })),
  },
  {
    title: 'providers.title',
    rest: '/providers',
    find: async (tenant, text, most) =>
      (await findRows({ tenant, name: 'providers' }, text, most)).map(({ id, name, server }) => ({
        id,
        label: name,
        detail: server,
      })),
  },
];

/** Of each kind; the list itself has the others. */
const MOST = 5;

interface Where {
  tenant: string;
  title: (key: ParseKeys<'portal'>) => string;
  open: (rest: string) => void;
}

/** What all sources find, those without results left out. */
export async function findEverywhere(text: string, { tenant, title, open }: Where): Promise<CommandGroup[]> {
  const groups = await Promise.all(
    SOURCES.map(async ({ title: key, rest, find }) => ({
      // Not the name of a page's group: both may be shown.
      title: title(key),
      commands: (await find(tenant, text, MOST)).map(({ id, label, detail }) => ({
        id: `${rest}/${id}`,
        label,
        detail,
        run: () => open(`${rest}/${id}`),
      })),
    })),
  );
  return groups.filter(({ commands }) => commands.length > 0);
}
