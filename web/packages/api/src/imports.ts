/**
 * Contacts in files: looking at a file, the plan that is made of it, doing it, and taking it back.
 */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';
import type {
  Import,
  ImportEncoding,
  ImportResult,
  ImportRowState,
  ImportSeparator,
  ImportState,
} from './types';

/** The most that the server gives at once. */
const PAGE_ROWS = 200;
/** A tenant has no more than 50. */
const MOST_IMPORTS = 50;
/** How often an import that is under way is asked how far it is. */
const EVERY_MS = 500;

const UNDER_WAY: ReadonlySet<ImportState> = new Set(['reading', 'committing', 'reverting', 'undoing']);

/** Whether the server is still busy with it. */
export function isUnderWay({ state }: Pick<Import, 'state'>): boolean {
  return UNDER_WAY.has(state);
}

/** How a file is to be read; what is absent is recognised by the server. */
export interface Reading {
  encoding?: ImportEncoding | undefined;
  separator?: ImportSeparator | undefined;
  /** In which country numbers without a country code are: ISO 3166-1 alpha-2. */
  country?: string | undefined;
}

/** A file with what each of its columns fills, in their order; nothing for those that are left out. */
export interface FileToCheck extends Reading {
  file: File;
  columns: readonly (string | undefined)[];
}

function importsKey(tenant: string) {
  return [...tenantKey(tenant), 'contacts', 'imports'] as const;
}

/** The bytes of the file as the body, whatever the browser takes its type for. */
function bodyOf(file: File) {
  return { body: '', bodySerializer: () => file, headers: { 'Content-Type': 'text/csv' } };
}

/** How the server would read a file, and what is in its columns. It is kept nowhere, and here only while it is shown. */
export function useImportPreview(tenant: string, file: File, { encoding, separator, country }: Reading) {
  const cells = [encoding, separator].join(' ');
  return useQuery({
    queryKey: [
      ...importsKey(tenant),
      'preview',
      { name: file.name, size: file.size, at: file.lastModified },
      cells,
      country,
    ],
    queryFn: () =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/contacts/imports/preview', {
          params: { path: { tenant }, query: { encoding, separator, country } },
          ...bodyOf(file),
        }),
      ),
    // Read in another way it has other cells; in another country it has the same.
    placeholderData: (shown, before) => (before?.queryKey.at(-2) === cells ? shown : undefined),
    staleTime: Infinity,
    gcTime: 0,
  });
}

/** Uploads a file: the answer says what it would do. */
export function useCheckImport(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ file, encoding, separator, country, columns }: FileToCheck) => {
      const query = {
        file_name: file.name.slice(-MOST_NAME),
        encoding,
        separator,
        country,
        columns: columns.map((field) => field ?? '').join(','),
      };
      return answered(
        client.POST('/api/v1/tenants/{tenant}/contacts/imports', {
          params: { path: { tenant }, query },
          ...bodyOf(file),
        }),
      );
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: [...importsKey(tenant), 'list'] }),
  });
}

/** Characters of a file's name; of a longer one the end says more. */
const MOST_NAME = 200;

/** All imports that are remembered, newest first. */
export function useImports(tenant: string) {
  return useQuery({
    queryKey: [...importsKey(tenant), 'list'],
    queryFn: async () => {
      const params = { path: { tenant }, query: { limit: MOST_IMPORTS } };
      return (await answered(client.GET('/api/v1/tenants/{tenant}/contacts/imports', { params }))).items;
    },
    refetchInterval: ({ state }) => (state.data?.some(isUnderWay) ? EVERY_MS : false),
  });
}

/** One import; while it is under way, how far it is. */
export function useImport(tenant: string, id: string) {
  return useQuery({
    queryKey: [...importsKey(tenant), 'item', id],
    queryFn: () =>
      answered(
        client.GET('/api/v1/tenants/{tenant}/contacts/imports/{id}', { params: { path: { tenant, id } } }),
      ),
    refetchInterval: ({ state }) => (state.data && isUnderWay(state.data) ? EVERY_MS : false),
  });
}

/** Which rows of an import. */
export interface ImportRowsWanted {
  search: string;
  results: readonly ImportResult[];
  states: readonly ImportRowState[];
}

/** The rows read so far. They are read anew when the import has come to another state. */
export function useImportRows(
  tenant: string,
  { id, state }: Pick<Import, 'id' | 'state'>,
  { search, results, states }: ImportRowsWanted,
) {
  return useInfiniteQuery({
    queryKey: [...importsKey(tenant), 'item', id, 'rows', { state, search, results, states }],
    queryFn: ({ pageParam }) => {
      const query = {
        limit: PAGE_ROWS,
        after: pageParam,
        search: search || undefined,
        result: results.join(',') || undefined,
        state: states.join(',') || undefined,
        total: pageParam === undefined ? true : undefined,
      };
      return answered(
        client.GET('/api/v1/tenants/{tenant}/contacts/imports/{id}/rows', {
          params: { path: { tenant, id }, query },
        }),
      );
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    select: ({ pages }) => ({
      items: pages.flatMap((page) => page.items),
      total: pages[0]?.total ?? undefined,
    }),
    placeholderData: (shown) => shown,
  });
}

/** What an action answered is known at once; a refusal may mean that the import is in another state by now. */
function useAct(tenant: string, act: (id: string) => Promise<Import>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (now, id) => queries.setQueryData([...importsKey(tenant), 'item', id], now),
    onSettled: () => queries.invalidateQueries({ queryKey: importsKey(tenant) }),
  });
}

export function useCommitImport(tenant: string) {
  return useAct(tenant, (id) =>
    answered(
      client.POST('/api/v1/tenants/{tenant}/contacts/imports/{id}/commit', {
        params: { path: { tenant, id } },
      }),
    ),
  );
}

export function useUndoImport(tenant: string) {
  return useAct(tenant, (id) =>
    answered(
      client.POST('/api/v1/tenants/{tenant}/contacts/imports/{id}/undo', {
        params: { path: { tenant, id } },
      }),
    ),
  );
}

/** Forgets an import: the contacts stay as they are. */
export function useForgetImport(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(
        client.DELETE('/api/v1/tenants/{tenant}/contacts/imports/{id}', { params: { path: { tenant, id } } }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: [...importsKey(tenant), 'list'] }),
  });
}

/** Where a file with all headings and an example is. */
export function importTemplateAddress(tenant: string): string {
  return `/api/v1/tenants/${tenant}/contacts/imports/template.csv`;
}
