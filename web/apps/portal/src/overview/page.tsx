/**
 * Where one lands: what is there, and until a first device works, what to do next.
 */
import { useChoices, useCount, useDevicesLive, type Device, type Total } from '@tandem/api';
import { ButtonLink, Link, PageHead, Section, type Icon } from '@tandem/ui';
import { ArrowRight, AtSign, Check, Plus, Smartphone, UserPlus, Users } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { DeviceBadge } from '../devices/status';
import { AbsentAny } from '../pages/absent';
import { useTenant } from '../tenant';
import { nextStep, steps, summary, type Step } from './model';

const MOST_SHOWN = 6;

export function OverviewPage() {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const read = {
    providers: useChoices({ tenant: tenant.id, name: 'providers' }),
    contacts: useChoices({ tenant: tenant.id, name: 'contacts' }),
    devices: useChoices({ tenant: tenant.id, name: 'devices' }),
  };
  const live = useDevicesLive();
  const { counts, reads } = useCounts();
  const providers = read.providers.data;
  const contacts = read.contacts.data;
  const devices = read.devices.data;
  if (!providers || !counts || !contacts || !devices) {
    return (
      <>
        <PageHead title={tenant.name} />
        <AbsentAny reads={[...Object.values(read), ...reads]} />
      </>
    );
  }

  // Of a list that is here as a whole the live channel knows more than a count of a moment ago.
  const here = devices.length >= counts.devices.count ? summary(devices, live) : counts.now;
  const { online, waiting } = here;
  const plan = steps({ providers, contacts, devices, live });
  const next = nextStep(plan);
  return (
    <>
      <PageHead
        title={tenant.name}
        lead={t(next ? 'overview.lead_new' : 'overview.lead')}
        actions={
          !next &&
          mayChange && (
            <>
              {tenant.role === 'owner' && (
                <ButtonLink href={path('/team')} variant="secondary">
                  <UserPlus aria-hidden />
                  {t('overview.invite')}
                </ButtonLink>
              )}
              <ButtonLink href={path('/contacts/new?phone=on')}>
                <Plus aria-hidden />
                {t('overview.add')}
              </ButtonLink>
            </>
          )
        }
      />
      <div className="flex flex-col gap-6">
        {next && mayChange && <Plan plan={plan} next={next} />}
        <div className="grid gap-4 sm:grid-cols-3">
          <Count
            icon={Smartphone}
            href={path('/devices')}
            label={t('overview.devices_online')}
            value={
              <>
                {online}
                <span className="text-lg font-medium text-muted"> / {shown(counts.devices)}</span>
              </>
            }
            note={waiting > 0 ? t('overview.waiting', { count: waiting }) : t('overview.none_waiting')}
          />
          <Count
            icon={AtSign}
            href={path('/accounts')}
            label={t('accounts.title')}
            value={shown(counts.accounts)}
            note={t('overview.in_use', { count: counts.accounts.count - counts.unused.count })}
          />
          <Count
            icon={Users}
            href={path('/contacts')}
            label={t('contacts.title')}
            value={shown(counts.contacts)}
            note={t('overview.with_device', { count: counts.equipped.count })}
          />
        </div>
        {devices.length > 0 && (
          <Section
            title={t('devices.title')}
            action={
              <Link href={path('/devices')} className="link whitespace-nowrap">
                {t('overview.all')}
              </Link>
            }
          >
            <ul className="divide-y divide-separator">
              {devices.slice(0, MOST_SHOWN).map((device) => (
                <DeviceRow key={device.id} device={device} />
              ))}
            </ul>
          </Section>
        )}
      </div>
    </>
  );
}

/** Counted by the server, `undefined` until all are there; and how the reading goes. */
function useCounts() {
  const { tenant } = useTenant();
  const place = <Name extends 'accounts' | 'contacts' | 'devices'>(name: Name) => ({
    tenant: tenant.id,
    name,
  });
  const reads = [
    useCount(place('accounts')),
    useCount(place('accounts'), UNUSED),
    useCount(place('contacts')),
    useCount(place('contacts'), EQUIPPED),
    useCount(place('devices')),
    useCount(place('devices'), ONLINE),
    useCount(place('devices'), WAITING),
  ] as const;
  const [accounts, unused, contacts, equipped, devices, online, waiting] = reads.map(({ data }) => data);
  if (!accounts || !unused || !contacts || !equipped || !devices || !online || !waiting) {
    return { counts: undefined, reads };
  }
  const now = { online: online.count, waiting: waiting.count };
  return { counts: { accounts, unused, contacts, equipped, devices, now }, reads };
}

const UNUSED = { status: 'not_in_use' };
const EQUIPPED = { has_device: 'true' };
const ONLINE = { status: 'online' };
const WAITING = { status: 'not_activated' };

/** `10 000+` where not all were counted. */
function shown({ count, exact }: Total): string {
  return exact ? String(count) : `${count}+`;
}

function DeviceRow({ device }: { device: Device }) {
  const { path } = useTenant();
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1.5 py-3 first:pt-0 last:pb-0">
      <div className="min-w-0">
        <Link href={path(`/devices/${device.id}`)} className="link">
          {device.name}
        </Link>
        <p className="truncate text-xs text-muted">{device.contact.name}</p>
      </div>
      <DeviceBadge device={device} />
    </li>
  );
}

interface CountProps {
  icon: Icon;
  href: string;
  label: string;
  value: ReactNode;
  note: string;
}

function Count({ icon: Picture, href, label, value, note }: CountProps) {
  return (
    <Link
      href={href}
      className="card focusable block p-5 transition-colors data-[hovered]:border-field-border"
    >
      <span className="flex items-center justify-between text-muted">
        {label}
        <Picture className="size-4" aria-hidden />
      </span>
      <span className="mt-2 block text-3xl font-semibold tracking-tight tabular-nums">{value}</span>
      <span className="mt-1 block text-xs text-muted">{note}</span>
    </Link>
  );
}

function Plan({ plan, next }: { plan: Step[]; next: Step }) {
  const { t } = useTranslation();
  const { path } = useTenant();
  const done = plan.filter((step) => step.done).length;
  return (
    <Section title={t('overview.plan')} lead={t('overview.plan_lead', { done, all: plan.length })}>
      <ol className="flex flex-col gap-1">
        {plan.map((step, index) => {
          const current = step.name === next.name && step.name !== 'administrator' ? step.name : undefined;
          return (
            <li
              key={step.name}
              className={`flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg p-2.5 ${current ? 'bg-accent-soft text-accent-soft-foreground' : ''}`}
            >
              <span
                aria-hidden
                className={`grid size-6 shrink-0 place-items-center rounded-full text-xs font-semibold ${
                  step.done
                    ? 'bg-success-soft text-success-soft-foreground'
                    : 'bg-default text-default-foreground'
                }`}
              >
                {step.done ? <Check className="size-3.5" /> : index + 1}
              </span>
              <span className="min-w-48 flex-1">
                <span className="font-medium">{t(`overview.step.${step.name}.title`)}</span>
                {step.done && <span className="sr-only"> – {t('overview.done')}</span>}
                {current && <span className="block text-sm">{t(`overview.step.${current}.text`)}</span>}
              </span>
              {current && (
                <ButtonLink href={path(step.page)}>
                  {t(`overview.step.${current}.action`)}
                  <ArrowRight aria-hidden />
                </ButtonLink>
              )}
            </li>
          );
        })}
      </ol>
    </Section>
  );
}
