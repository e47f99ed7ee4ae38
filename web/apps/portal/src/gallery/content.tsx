/**
 * What is shown rather than asked: code, differences, QR code, moments, progress, tabs, empty places.
 */
import {
  Button,
  CodeBlock,
  DateTime,
  EmptyState,
  Fact,
  Facts,
  Failure,
  FieldDiff,
  NothingFound,
  Notice,
  Placeholder,
  ProgressBar,
  Qr,
  Skeleton,
  Stepper,
  Tabs,
  TextDiff,
} from '@tandem/ui';
import { Users } from 'lucide-react';
import { useState } from 'react';

import { useWords } from './words';

const BEFORE = '[tls]\nport = 5061\nverify = true\n';
const AFTER = '[tls]\nport = 5443\nverify = true\nalpn = "sip"\n';
const MOMENT = '2026-03-01T12:00:00Z';
const nothing = () => undefined;

export function ContentGallery() {
  const words = useWords();
  return (
    <div className="grid items-start gap-6 lg:grid-cols-2">
      <CodeBlock label={words.code} copyLabel={words.copy_code} text={AFTER} />
      <TextDiff label={words.text_diff} before={BEFORE} after={AFTER} />
      <FieldDiff
        label={words.diff}
        changes={[
          { name: words.name, before: 'Reception', after: 'Front desk' },
          { name: words.protocol, after: 'TLS' },
          { name: words.phone, before: '+49 30 1234567' },
        ]}
      />
      <Facts>
        <Fact name={words.moment}>
          <DateTime at={MOMENT} />
        </Fact>
        <Fact name={words.day}>
          <DateTime at={MOMENT} as="day" />
        </Fact>
        <Fact name={words.ago}>
          <DateTime at={MOMENT} as="ago" />
        </Fact>
      </Facts>
      <Qr text="https://portal.example.com/activate" label={words.qr} />
    </div>
  );
}

export function ProgressGallery() {
  const words = useWords();
  const [step, setStep] = useState('account');
  return (
    <div className="flex flex-col gap-6">
      <ProgressBar label={words.import} value={420} most={1000} />
      <ProgressBar label={words.unknown} />
      <Stepper
        label={words.steps}
        current={step}
        onBack={setStep}
        steps={[
          { id: 'person', title: words.step_person },
          { id: 'account', title: words.step_account },
          { id: 'phone', title: words.step_phone },
        ]}
      />
      <Tabs
        label={words.tabs}
        tabs={[
          { id: 'one', title: words.tab_one, content: <p>{words.tab_one_text}</p> },
          { id: 'other', title: words.tab_other, content: <p>{words.tab_other_text}</p> },
        ]}
      />
    </div>
  );
}

export function NoticeGallery() {
  const words = useWords();
  return (
    <div className="flex flex-col gap-2">
      <Notice tone="info">{words.notice_info}</Notice>
      <Notice tone="good">{words.notice_good}</Notice>
      <Notice tone="warning">{words.notice_warning}</Notice>
      <Notice tone="danger">{words.notice_danger}</Notice>
    </div>
  );
}

export function StateGallery() {
  const words = useWords();
  return (
    <div className="grid items-start gap-6 lg:grid-cols-2">
      <EmptyState icon={Users} title={words.empty} action={<Button>{words.icon}</Button>}>
        {words.empty_text}
      </EmptyState>
      <Failure detail={words.failed_text} onRetry={nothing} />
      <NothingFound search="Ada" onClear={nothing} />
      <Placeholder rows={3} />
      <Skeleton of="form" />
      <Skeleton of="text" />
      <div className="lg:col-span-2">
        <Skeleton of="cards" />
      </div>
    </div>
  );
}
