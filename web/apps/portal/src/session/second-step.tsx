/**
 * The rest of a sign-in: a code of the second factor.
 */
import { useSecondStep, type HalfSignIn, type Session } from '@tandem/api';
import { Button } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { Form } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { CodeField } from './code-field';
import { signInRefusal } from './sign-in-refusal';

interface SecondStepProps {
  half: HalfSignIn;
  onDone: (session: Session) => void | Promise<void>;
  onBack: () => void;
}

const schema = z.object({ code: requiredText(64) });

export function SecondStep({ half, onDone, onBack }: SecondStepProps) {
  const { t } = useTranslation();
  const secondStep = useSecondStep();
  const form = useSavedForm({
    schema,
    values: { code: '' },
    save: async ({ code }) => {
      const request = secondStep.mutateAsync({ token: half.token, code });
      await onDone(await signInRefusal(request, 'refused.second_step'));
    },
  });
  return (
    <div className="flex flex-col gap-4">
      <Form {...form} passing action={t('sign_in.action')} wide>
        <CodeField autoFocus />
      </Form>
      <Button variant="ghost" onPress={onBack}>
        {t('second_step.back')}
      </Button>
    </div>
  );
}
