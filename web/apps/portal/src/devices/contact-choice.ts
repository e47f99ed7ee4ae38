/**
 * Looking up the person that a device is for.
 */
import { findRows, type Contact } from '@tandem/api';
import type { Choice } from '@tandem/ui';
import { useCallback } from 'react';

import { nameOf } from '../contacts/model';

const MOST_FOUND = 20;

export function contactChoice(contact: Contact): Choice {
  return { id: contact.id, label: nameOf(contact), detail: contact.emails[0]?.address };
}

export function useContactSearch(tenant: string): (text: string) => Promise<Choice[]> {
  return useCallback(
    async (text) => (await findRows({ tenant, name: 'contacts' }, text, MOST_FOUND)).map(contactChoice),
    [tenant],
  );
}
