/**
 * What the server refused, as an error that pages can act on.
 *
 * A refusal carries the problem details of RFC 9457. A request that never got an answer is an `Unreachable`.
 */
import type { Problem } from './types';

/** The server answered, and the answer is no. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: number,
    readonly problem: Problem | undefined,
  ) {
    super(problem?.detail ?? `HTTP ${status}`);
  }

  /** The stable word for programs, such as `in-use`. */
  get kind(): string {
    return this.problem?.type ?? 'about:blank';
  }

  /** Messages by field path, such as `numbers[1].number`. */
  get fields(): { field: string; message: string }[] {
    return this.problem?.errors ?? [];
  }
}

/** No answer: the network or the server is down. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** Whether the session is over and the person must sign in again. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof Refusal && error.status === 401;
}

/** Whether the object is not there, or not for this person. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Refusal && error.status === 404;
}

/** Whether a one-time password must be replaced first. */
export function mustSetPassword(error: unknown): boolean {
  return error instanceof Refusal && error.kind === 'password-change-required';
}

/** Reads a body as problem details, or `undefined` when it is something else. */
export function parseProblem(body: unknown): Problem | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { title, detail, status } = body as Partial<Problem>;
  return typeof title === 'string' && typeof detail === 'string' && typeof status === 'number'
    ? (body as Problem)
    : undefined;
}
