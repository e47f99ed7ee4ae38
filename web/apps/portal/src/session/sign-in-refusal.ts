/**
 * A refused sign-in in the person's language. The server says the same for a wrong address and a wrong password.
 */
import { Refusal, type Problem } from '@tandem/api';

/** The answer, or a refusal whose sentence is one of ours. */
export async function signInRefusal<Answer>(request: Promise<Answer>): Promise<Answer> {
  try {
    return await request;
  } catch (error) {
    const detail = error instanceof Refusal ? TEXTS[error.status] : undefined;
    if (!detail) throw error;
    throw new Refusal(400, { title: '', status: 400, detail } as Problem);
  }
}

const TEXTS: Record<number, string> = { 401: 'refused.sign_in', 429: 'refused.too_many' };
