/**
 * What Enter means in a field that looks up what is typed.
 */

/** What was found, and for which text; no text: nothing was asked yet. */
export interface Answer<Found> {
  text?: string | undefined;
  choices: readonly Found[];
}

/** The one to take; `wait` until there is an answer; `nothing`: it is not for us to decide. */
export type Taken<Found> = { take: Found } | 'wait' | 'nothing';

/**
 * Whoever types and presses Enter means what they typed: what was found before is never taken for it.
 *
 * `pointed`: one of the choices was pointed at with the arrows; while they belong to the text, that is the one.
 */
export function takenByEnter<Found>(text: string, answer: Answer<Found>, pointed: boolean): Taken<Found> {
  if (answer.text !== text) return 'wait';
  if (pointed || text === '') return 'nothing';
  const [first] = answer.choices;
  return first === undefined ? 'nothing' : { take: first };
}
