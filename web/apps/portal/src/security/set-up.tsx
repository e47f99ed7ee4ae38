/**
 * Turning the second factor on: the key goes into the app, and the first code comes back.
 */
import { useBeginSecondFactor, useConfirmSecondFactor, type SecondFactorKey } from '@tandem/api';
import { Button, CopyButton, Placeholder } from '@tandem/ui';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { Form, TextField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { Failed } from '../pages/absent';

interface SetUpProps {
  onDone: (codes: string[]) => void;
  onCancel: () => void;
}

export function SetUp({ onDone, onCancel }: SetUpProps) {
  const begin = useBeginSecondFactor();
  const { mutate } = begin;
  const [key, setKey] = useState<SecondFactorKey>();
  useEffect(() => mutate(undefined, { onSuccess: setKey }), [mutate]);
  if (key) return <Steps secret={key} onDone={onDone} onCancel={onCancel} />;
  if (begin.error) {
    return <Failed error={begin.error} onRetry={() => mutate(undefined, { onSuccess: setKey })} />;
  }
  return <Placeholder rows={3} />;
}

const schema = z.object({ code: requiredText(64) });

interface StepsProps extends SetUpProps {
  secret: SecondFactorKey;
}

function Steps({ secret, onDone, onCancel }: StepsProps) {
  const { t } = useTranslation(['portal', 'ui']);
  const confirm = useConfirmSecondFactor();
  const form = useSavedForm({
    schema,
    values: { code: '' },
    save: async ({ code }) => {
      const { codes } = await confirm.mutateAsync(code);
      onDone(codes);
    },
  });
  return (
    <ol className="flex flex-col gap-6">
      <li className="flex flex-col gap-3">
        <h3 className="font-medium">{t('second_factor.scan')}</h3>
        <div className="flex flex-wrap items-center gap-6">
          {/* White in every theme: cameras want the contrast. The image brings its own margin. */}
          <div className="overflow-hidden rounded-xl border border-border bg-white">
            <img
              src={`data:image/svg+xml,${encodeURIComponent(secret.qr_svg)}`}
              alt={t('second_factor.qr')}
              width={208}
              height={208}
              className="size-52"
            />
          </div>
          <div className="min-w-0 flex-1 basis-56">
            <p className="mb-2 text-xs text-muted">{t('second_factor.type_key')}</p>
            <p
              className="verbatim mb-2 rounded-lg border border-border bg-surface-secondary p-2.5 break-all"
              data-testid="second-factor-key"
            >
              {secret.key.match(/.{1,4}/g)?.join(' ')}
            </p>
            <CopyButton text={secret.key} label={t('second_factor.copy_key')} />
          </div>
        </div>
      </li>
      <li className="flex max-w-sm flex-col gap-3">
        <h3 className="font-medium">{t('second_factor.enter')}</h3>
        <Form {...form} passing action={t('second_factor.turn_on')}>
          <TextField
            name="code"
            label={t('second_step.code')}
            inputMode="numeric"
            autoComplete="one-time-code"
            technical
          />
        </Form>
        <div>
          <Button variant="ghost" onPress={onCancel}>
            {t('ui:cancel')}
          </Button>
        </div>
      </li>
    </ol>
  );
}
