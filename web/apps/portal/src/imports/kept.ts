/**
 * The file of which a plan was made, as long as this page is open: the server keeps the plan and not the file, so
 * only from here can one go back to its columns.
 */
import type { FileToCheck } from '@tandem/api';

let kept: { plan: string; file: FileToCheck } | undefined;

export function keepFile(plan: string, file: FileToCheck): void {
  kept = { plan, file };
}

/** What was done is not to be planned anew. */
export function dropFile(plan: string): void {
  if (kept?.plan === plan) kept = undefined;
}

/** The file of a plan, if it was made here and no other one since. */
export function keptFile(plan: string | undefined): FileToCheck | undefined {
  return kept?.plan === plan ? kept?.file : undefined;
}
