/**
 * What the palette finds on the server: everything of a tenant that has a name.
 */
import { findEverything, type FoundKind } from '@tandem/api';
import type { CommandGroup } from '@tandem/ui';
import type { ParseKeys } from 'i18next';

interface Kind {
  title: ParseKeys<'portal'>;
  /** Where the thing is shown, below `/t/{slug}`; absent: nowhere, so it is not offered. */
  rest?: string;
}

export const KINDS: Record<FoundKind, Kind> = {
  contact: { title: 'contacts.title', rest: '/contacts' },
  device: { title: 'devices.title', rest: '/devices' },
  account: { title: 'accounts.title', rest: '/accounts' },
  provider: { title: 'providers.title', rest: '/providers' },
  member: { title: 'palette.members' },
};

/** Of each kind; the list itself has the others. */
const MOST = 5;

interface Where {
  tenant: string;
  title: (key: ParseKeys<'portal'>) => string;
  open: (rest: string) => void;
}

export async function findEverywhere(text: string, { tenant, title, open }: Where): Promise<CommandGroup[]> {
  const groups = await findEverything(tenant, text, MOST);
  return groups.flatMap(({ kind, items }) => {
    const { title: key, rest } = KINDS[kind];
    if (rest === undefined) return [];
    const commands = items.map(({ id, name, detail }) => ({
      id: `${rest}/${id}`,
      label: name,
      detail: detail || undefined,
      run: () => open(`${rest}/${id}`),
    }));
    return [{ title: title(key), commands }];
  });
}
