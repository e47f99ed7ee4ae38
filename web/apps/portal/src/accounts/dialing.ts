/**
 * Dialing rules as the form has them, and what they make of a number.
 *
 * The phone applies the rules (`softphone/core/src/dialing.rs`); this is for trying them out. Both are held to
 * the vectors in `tests/data/dialing-rules`.
 */
import type { DialingRule } from '@tandem/api';

import { z } from '../forms/checks';

const PART = /^[0-9*#+]*$/;
const LONGEST_NUMBER = 40;

const part = () =>
  z.string().check(z.trim(), z.regex(PART, 'invalid.dialed'), z.maxLength(20, 'invalid.too_long'));

export const dialingRules = z.array(
  z.object({
    starts_with: part(),
    replace_with: part(),
    minimum_length: z
      .string()
      .check(
        z.refine(
          (text) => text === '' || (/^\d+$/.test(text) && Number(text) <= LONGEST_NUMBER),
          'invalid.length',
        ),
      ),
  }),
);

export type RuleForm = z.infer<typeof dialingRules>[number];

export const newRule: RuleForm = { starts_with: '', replace_with: '', minimum_length: '' };

export function ruleFormOf({ starts_with, replace_with, minimum_length }: DialingRule): RuleForm {
  return { starts_with, replace_with, minimum_length: minimum_length ? String(minimum_length) : '' };
}

export function ruleOf({ starts_with, replace_with, minimum_length }: RuleForm): DialingRule {
  return { starts_with, replace_with, minimum_length: Number(minimum_length) || 0 };
}

export interface Dialed {
  number: string;
  /** The rule that fitted, counted from 0. */
  rule?: number;
}

/** What is called when `number` is dialled; the first rule that fits counts. */
export function dialed(number: string, rules: DialingRule[]): Dialed {
  for (const [rule, { starts_with, replace_with, minimum_length = 0 }] of rules.entries()) {
    if (!number.startsWith(starts_with) || number.length < minimum_length) continue;
    const changed = replace_with + number.slice(starts_with.length);
    if (changed !== '') return { number: changed, rule };
  }
  return { number };
}

/** The number without what people write between its digits. */
export function withoutSeparators(text: string): string {
  return text.replace(/[ \-.()/\u00a0]/g, '');
}
