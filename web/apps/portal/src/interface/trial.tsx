/**
 * Sends an operation as the signed-in person, and shows what came back.
 */
import { Button, CodeBlock, Notice, TextInput } from '@tandem/ui';
import { useMutation } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { exampleOf, missingOf, tryOf, type Description, type Operation, type Try } from './model';

interface TrialProps {
  operation: Operation;
  description: Description;
}

interface Answer {
  status: number;
  text: string;
}

/** More of an answer helps nobody, and slows the page down. */
const MOST_SHOWN = 100_000;

async function send({ url, method, headers, body }: Try): Promise<Answer> {
  const answer = await fetch(url, { method, headers, credentials: 'same-origin', ...(body && { body }) });
  const text = await answer.text();
  return { status: answer.status, text: readable(text).slice(0, MOST_SHOWN) };
}

function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

export function Trial({ operation, description }: TrialProps) {
  const { t } = useTranslation();
  const { tenant, mayChange } = useTenant();
  const [values, setValues] = useState<Record<string, string>>({ tenant: tenant.id });
  const [body, setBody] = useState(() =>
    operation.body ? JSON.stringify(exampleOf(operation.body, description), undefined, 2) : '',
  );
  const [tried, setTried] = useState(false);
  const sending = useMutation({ mutationFn: send });
  const missing = missingOf(operation, values);
  const changes = operation.method !== 'GET';
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (missing.length === 0) sending.mutate(tryOf(operation, values, body));
      }}
    >
      {operation.parameters.length > 0 && (
        <div className="grid items-start gap-4 sm:grid-cols-2">
          {operation.parameters.map(({ name, description: text, required, in: place }) => (
            <TextInput
              key={name}
              label={name}
              description={text}
              value={values[name] ?? ''}
              onChange={(value) => setValues({ ...values, [name]: value })}
              optional={!required && place !== 'path'}
              error={tried && missing.includes(name) ? t('invalid.required') : undefined}
              autoComplete="off"
              technical
            />
          ))}
        </div>
      )}
      {operation.body && <BodyField value={body} onChange={setBody} />}
      {changes && mayChange && <Notice tone="warning">{t('interface.real', { name: tenant.name })}</Notice>}
      <Button type="submit" className="w-fit" isPending={sending.isPending}>
        <Play aria-hidden />
        {t('interface.send')}
      </Button>
      {sending.error && (
        <Notice tone="danger" alert>
          {t('refused.unreachable')}
        </Notice>
      )}
      {sending.data && <Came answer={sending.data} />}
    </form>
  );
}

function BodyField({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="label">
        {t('interface.body')}
      </label>
      <textarea
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        rows={Math.min(16, value.split('\n').length + 1)}
        spellCheck={false}
        className="input input--full-width mt-1 h-auto py-2 font-mono text-[0.8125rem]"
      />
    </div>
  );
}

function Came({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  const well = answer.status < 400;
  return (
    <div className="flex flex-col gap-2">
      <Notice tone={well ? 'good' : 'danger'} alert>
        {t('interface.came', { status: answer.status })}
      </Notice>
      {answer.text !== '' && (
        <CodeBlock label={t('interface.came_body')} copyLabel={t('interface.copy')} text={answer.text} />
      )}
    </div>
  );
}
