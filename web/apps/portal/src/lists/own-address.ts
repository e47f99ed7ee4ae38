/**
 * Which changes of the address are a list's own, and which come from outside: a link, *back*, a saved view.
 *
 * Only those from outside say where the list begins.
 */
import { paramsOf, type ListPlace, type ListState } from '@tandem/ui';

export interface OwnAddresses {
  /** The address as it was last shown. */
  seen: string;
  /** What the list itself asked for and has not seen yet, in this order. */
  sent: readonly string[];
}

/** What an address says of a list, whatever the order of its parameters. */
export function addressText(state: ListState, place?: ListPlace): string {
  return JSON.stringify(Object.entries(paramsOf(state, place)).sort());
}

/** What is known once `shown` is the address, and whether it came from outside. */
export function afterAddress({ sent }: OwnAddresses, shown: string): { own: OwnAddresses; foreign: boolean } {
  const index = sent.indexOf(shown);
  // Of several in a row the router may show only the last.
  const left = index === -1 ? [] : sent.slice(index + 1);
  return { own: { seen: shown, sent: left }, foreign: index === -1 };
}
