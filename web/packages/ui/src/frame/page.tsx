/**
 * The parts every page is made of: its head, cards with a title, and lists of facts.
 */
import { ChevronLeft } from 'lucide-react';
import { useEffect, type ReactNode } from 'react';
import { Link } from 'react-aria-components';

interface PageHeadProps {
  title: string;
  /** One sentence: what is here. */
  lead?: ReactNode;
  /** The page above this one. */
  up?: { href: string; label: string };
  beside?: ReactNode;
  actions?: ReactNode;
}

export function PageHead({ title, lead, up, beside, actions }: PageHeadProps) {
  useTitle(title);
  return (
    <div className="mb-6">
      {up && (
        <Link
          href={up.href}
          className="link no-print mb-2 -ms-1 inline-flex items-center gap-1 text-sm text-muted"
        >
          <ChevronLeft className="size-4" aria-hidden />
          {up.label}
        </Link>
      )}
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-4">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
            <h1 className="text-2xl font-semibold tracking-tight break-words">{title}</h1>
            {beside}
          </div>
          {lead && <p className="mt-1 max-w-2xl text-pretty text-muted">{lead}</p>}
        </div>
        {actions && <div className="no-print flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  );
}

/** Names the browser's tab after the page. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Tandem`;
  }, [title]);
}

interface SectionProps {
  title: string;
  lead?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}

export function Section({ title, lead, action, children }: SectionProps) {
  return (
    <section className="card p-5 sm:p-6">
      <div className="mb-5 flex items-start justify-between gap-4">
        <div>
          <h2 className="text-base font-semibold">{title}</h2>
          {lead && <p className="mt-0.5 text-muted">{lead}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}

/** Names and values, one pair a line. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid gap-x-6 gap-y-3">{children}</dl>;
}

/** Nothing when there is no value. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  if (children === undefined || children === null || children === false || children === '') return null;
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="mt-0.5 min-w-0 break-words">{children}</dd>
    </div>
  );
}

/** A link that looks like a button. */
interface ButtonLinkProps {
  href: string;
  children: ReactNode;
  variant?: 'primary' | 'secondary' | 'ghost';
  target?: string;
  /** Called before it is followed. */
  onPress?: () => void;
}

export function ButtonLink({ href, children, variant = 'primary', target, onPress }: ButtonLinkProps) {
  return (
    <Link href={href} target={target} className={`button button--${variant}`} {...(onPress && { onPress })}>
      {children}
    </Link>
  );
}
