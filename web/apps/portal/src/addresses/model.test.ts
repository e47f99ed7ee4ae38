import type { AddressRule } from '@tandem/api';
import { expect, test } from 'vitest';

import { csvOf, groupsOf, otherAddresses, portsOf, textOf, type Words } from './model';

const portal: AddressRule = {
  purpose: 'portal',
  from: 'phones',
  to: 'server',
  host: 'phones.example.com',
  addresses: ['192.0.2.1', '2001:db8::1'],
  protocol: 'tcp',
  first_port: 443,
  last_port: 443,
  encrypted: true,
  optional: false,
  may_move: false,
};

const media: AddressRule = {
  ...portal,
  purpose: 'provider_media',
  from: 'provider',
  to: 'phones',
  host: undefined,
  addresses: [],
  protocol: 'udp',
  first_port: 16_384,
  last_port: 32_767,
  encrypted: false,
};

const words = ({ purpose, from, to, host }: AddressRule): Words => ({
  purpose,
  from,
  to,
  host: host ?? 'anywhere',
  encrypted: 'yes',
  needed: 'needed',
});

const odd = (rule: AddressRule): Words => ({ ...words(rule), purpose: '=SUM(1,2) "x"' });

test('sound has a group of its own, and empty groups are left out', () => {
  expect(groupsOf([portal, media]).map(({ group }) => group)).toEqual(['server', 'media']);
  expect(groupsOf([{ ...portal, to: 'provider' }])[0]?.group).toBe('provider');
});

test('a range of ports is written as one', () => {
  expect(portsOf(portal)).toBe('TCP 443');
  expect(portsOf(media)).toBe('UDP 16384-32767');
});

test('an address is not said twice', () => {
  expect(otherAddresses({ ...portal, host: '192.0.2.1', addresses: ['192.0.2.1'] })).toEqual([]);
  expect(otherAddresses(portal)).toEqual(['192.0.2.1', '2001:db8::1']);
});

test('each rule is a line of text', () => {
  expect(textOf([portal, media], words)).toBe(
    'TCP 443: phones → phones.example.com (192.0.2.1, 2001:db8::1): portal, needed\n' +
      'UDP 16384-32767: provider → anywhere: provider_media, needed\n',
  );
});

test('the table is quoted where it must be, and nothing in it is a formula', () => {
  expect(csvOf([portal], ['For', 'From'], odd)).toBe(
    'For,From\r\n"\'=SUM(1,2) ""x""",phones,server,phones.example.com,192.0.2.1 2001:db8::1,TCP,443,yes,needed\r\n',
  );
});
