/**
 * What the portal has, as one table: an area is one row, in the group and the place where it is shown.
 *
 * Who sees an area is decided here for the eye only; what they may do there is decided by the server.
 */
import type { Role, SessionUser } from '@tandem/api';
import type { Icon } from '@tandem/ui';
import type { ParseKeys } from 'i18next';
import {
  AtSign,
  Braces,
  History,
  Hourglass,
  Inbox,
  KeyRound,
  LayoutDashboard,
  Mail,
  Mails,
  Network,
  Phone,
  Server,
  Smartphone,
  UserCog,
  Users,
  Webhook,
} from 'lucide-react';

/** In the order in which they are shown. A group without areas, or without a visible one, is not shown. */
export const GROUPS = [
  'start',
  'people',
  'telephony',
  'phone_system',
  'configurator',
  'console',
  'integrations',
  'settings',
] as const;

export type GroupName = (typeof GROUPS)[number];

export interface Area {
  group: GroupName;
  /** Below `/t/{slug}`. */
  rest: string;
  title: ParseKeys<'portal'>;
  icon: Icon;
  /** What the button to a new one says; its page is `new` below. */
  create?: ParseKeys<'portal'>;
  /** The letter that leads here after `g`. */
  key?: string;
  /** Who sees it in a tenant; absent: every member. */
  roles?: readonly Role[];
  /** Only for administrators of the installation. */
  installation?: boolean;
}

export const AREAS: readonly Area[] = [
  { group: 'start', rest: '', title: 'overview.title', key: 'o', icon: LayoutDashboard },
  {
    group: 'people',
    rest: '/contacts',
    title: 'contacts.title',
    key: 'c',
    create: 'contacts.new',
    icon: Users,
  },
  {
    group: 'people',
    rest: '/devices',
    title: 'devices.title',
    key: 'd',
    create: 'devices.new',
    icon: Smartphone,
  },
  { group: 'telephony', rest: '/calls', title: 'calls.title', key: 'h', icon: Phone },
  {
    group: 'telephony',
    rest: '/accounts',
    title: 'accounts.title',
    key: 'a',
    create: 'accounts.new',
    icon: AtSign,
  },
  {
    group: 'telephony',
    rest: '/providers',
    title: 'providers.title',
    key: 'p',
    create: 'providers.new',
    icon: Server,
  },
  { group: 'telephony', rest: '/addresses', title: 'addresses.title', key: 'f', icon: Network },
  {
    group: 'integrations',
    rest: '/api-keys',
    title: 'api_keys.title',
    key: 'k',
    create: 'api_keys.new',
    icon: KeyRound,
    roles: ['owner', 'administrator'],
  },
  {
    group: 'integrations',
    rest: '/webhooks',
    title: 'webhooks.title',
    key: 'w',
    create: 'webhooks.new',
    icon: Webhook,
    roles: ['owner', 'administrator'],
  },
  { group: 'integrations', rest: '/api', title: 'interface.title', key: 'i', icon: Braces },
  { group: 'settings', rest: '/team', title: 'team.title', key: 't', icon: UserCog },
  {
    group: 'settings',
    rest: '/settings/sign-on',
    title: 'sign_on.title',
    icon: KeyRound,
    roles: ['owner', 'administrator'],
  },
  { group: 'settings', rest: '/mail', title: 'mail.title', icon: Mail, roles: ['owner', 'administrator'] },
  { group: 'settings', rest: '/mails', title: 'mails.title', icon: Mails, roles: ['owner', 'administrator'] },
  { group: 'settings', rest: '/mailbox', title: 'mailbox.title', icon: Inbox, roles: ['owner'] },
  { group: 'settings', rest: '/audit', title: 'audit.title', key: 'l', icon: History },
  { group: 'settings', rest: '/settings/retention', title: 'retention.title', key: 'r', icon: Hourglass },
];

/** Someone who looks at the navigation of a tenant. */
export interface Viewer extends Pick<SessionUser, 'installation_administrator'> {
  role: Role;
}

/** What someone sees of the table, by group. */
export function visible(areas: readonly Area[], viewer: Viewer): { group: GroupName; areas: Area[] }[] {
  const seen = areas.filter(
    ({ roles, installation }) =>
      (!roles || roles.includes(viewer.role)) && (!installation || viewer.installation_administrator),
  );
  return GROUPS.map((group) => ({ group, areas: seen.filter((area) => area.group === group) })).filter(
    (entry) => entry.areas.length > 0,
  );
}

/** Whether `pathname` is a page of the area whose first page is `start`; the overview has no pages below it. */
export function isWithin(pathname: string, start: string, area: Pick<Area, 'rest'>): boolean {
  const place = pathname.replace(/\/$/, '');
  return place === start || (area.rest !== '' && place.startsWith(`${start}/`));
}
