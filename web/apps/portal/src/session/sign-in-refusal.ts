/**
 * A refused sign-in in the person's language. The server says the same for a wrong address and a wrong password.
 */
import { Refusal, type Problem } from '@tandem/api';

type Words = 'refused.sign_in' | 'refused.second_step';

/** The answer, or a refusal whose sentence is one of ours. */
export async function signInRefusal<Answer>(
  request: Promise<Answer>,
  wrong: Words = 'refused.sign_in',
): Promise<Answer> {
  try {
    return await request;
  } catch (error) {
    const texts: Record<number, string> = { 401: wrong, 429: 'refused.too_many' };
    const detail = error instanceof Refusal ? texts[error.status] : undefined;
    if (!detail) throw error;
    throw new Refusal(400, { title: '', status: 400, detail } as Problem);
  }
}
