/**
 * The part of a form that most people never need. It opens by itself when something in it is wrong.
 */
import { ChevronRight } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';

interface AdvancedProps {
  title: string;
  /** Something inside needs attention. */
  wrong: boolean;
  children: ReactNode;
}

export function Advanced({ title, wrong, children }: AdvancedProps) {
  const [open, setOpen] = useState(false);
  return (
    <Disclosure isExpanded={open || wrong} onExpandedChange={setOpen} className="group">
      <Heading level={2} className="text-sm">
        <Button
          slot="trigger"
          className="focusable flex items-center gap-1.5 rounded-md font-medium text-link"
        >
          <ChevronRight
            className="size-4 transition-transform group-data-[expanded]:rotate-90 motion-reduce:transition-none"
            aria-hidden
          />
          {title}
        </Button>
      </Heading>
      <DisclosurePanel>
        <div className="pt-5">{children}</div>
      </DisclosurePanel>
    </Disclosure>
  );
}
