/**
 * What the server carries out only for somebody who has just proved who they are.
 *
 * A request that it refuses for that reason waits here while the person is asked, and is sent again when they have
 * proved it. Whoever sent it notices nothing, so nothing typed is lost.
 */
import { parseProblem } from './refusal';

/** Whether the person proved who they are; `false` when they would not. */
type Answer = (proved: boolean) => void;

const NOBODY: Answer = () => undefined;
let waiting: { promise: Promise<boolean>; answer: Answer } | undefined;
const listeners = new Set<() => void>();

/** Whether somebody has to be asked now. Changes are told to `subscribe`. */
export const confirmation = {
  isWanted: () => waiting !== undefined,
  subscribe(listener: () => void) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** What waited goes on, or is refused for good. */
  answer(proved: boolean) {
    const { answer } = waiting ?? {};
    waiting = undefined;
    tell();
    answer?.(proved);
  },
};

/** All requests that are refused meanwhile wait for the same answer. */
function ask(): Promise<boolean> {
  if (waiting) return waiting.promise;
  let answer = NOBODY;
  const promise = new Promise<boolean>((resolve) => {
    answer = resolve;
  });
  waiting = { promise, answer };
  tell();
  return promise;
}

function tell() {
  for (const listener of listeners) listener();
}

/** Sends a request, and once more after the person has proved who they are, if that is what is missing. */
export async function sendConfirmed(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await fetch(request);
  if (response.status !== 403 || !(await wantsConfirmation(response.clone()))) return response;
  return (await ask()) ? fetch(again) : response;
}

async function wantsConfirmation(response: Response): Promise<boolean> {
  const body: unknown = await response.json().catch(() => undefined);
  return parseProblem(body)?.type === 'confirmation-required';
}
