/**
 * One operation of the interface: a line that opens to what it takes, what it answers, and a form that sends it.
 */
import { CodeBlock } from '@tandem/ui';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { exampleOf, type Description, type Operation } from './model';
import { Trial } from './trial';

interface OneOperationProps {
  operation: Operation;
  description: Description;
}

const LOOKS: Record<string, string> = {
  GET: 'bg-accent-soft text-accent-soft-foreground',
  DELETE: 'bg-danger-soft text-danger-soft-foreground',
};
const CHANGES = 'bg-success-soft text-success-soft-foreground';

export function OneOperation({ operation, description }: OneOperationProps) {
  const { method, path, summary, id } = operation;
  // The forms of all of them at once would be thousands of elements.
  const [open, setOpen] = useState(false);
  return (
    <li>
      <details className="group" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="focusable flex cursor-pointer list-none items-start gap-3 rounded-lg py-2.5 [&::-webkit-details-marker]:hidden">
          <ChevronRight
            className="mt-0.5 size-4 shrink-0 text-muted transition-transform group-open:rotate-90 motion-reduce:transition-none"
            aria-hidden
          />
          <span className="min-w-0 flex-1">
            <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
              <span
                className={`rounded px-1.5 py-0.5 font-mono text-xs font-semibold ${LOOKS[method] ?? CHANGES}`}
              >
                {method}
              </span>
              <span className="verbatim min-w-0">{path}</span>
            </span>
            <span className="mt-0.5 block text-sm">{summary}</span>
          </span>
        </summary>
        {open && (
          <div className="flex flex-col gap-5 pb-4 sm:ps-7" data-testid={id}>
            {operation.description && <p className="text-sm text-muted">{operation.description}</p>}
            <Trial operation={operation} description={description} />
            <Answers operation={operation} description={description} />
          </div>
        )}
      </details>
    </li>
  );
}

function Answers({ operation, description }: OneOperationProps) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-col gap-3">
      <h3 className="text-sm font-semibold">{t('interface.answers')}</h3>
      {operation.answers.map(({ status, description: text, schema }) => (
        <div key={status}>
          <p className="text-sm">
            <span className="font-mono font-semibold">
              {status === 'default' ? t('interface.refused') : status}
            </span>{' '}
            <span className="text-muted">{text}</span>
          </p>
          {schema && (
            <CodeBlock
              label={t('interface.answer', { status })}
              copyLabel={t('interface.copy')}
              text={JSON.stringify(exampleOf(schema, description), undefined, 2)}
            />
          )}
        </div>
      ))}
    </div>
  );
}
