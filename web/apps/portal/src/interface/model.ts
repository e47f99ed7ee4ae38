/**
 * The description of the HTTP interface (OpenAPI 3.1) as its page shows it: operations by subject, examples of bodies, and the request
 * that is sent when one is tried.
 */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Content {
  description?: string;
  content?: Record<string, { schema?: Schema }>;
}

interface Described {
  operationId: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: Content;
  responses?: Record<string, Content>;
}

export interface Description {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema> };
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  tag: string;
  summary: string;
  description: string | undefined;
  parameters: Parameter[];
  body: Schema | undefined;
  answers: { status: string; description: string | undefined; schema: Schema | undefined }[];
}

const JSON_TYPE = 'application/json';

/** All operations by subject, in the order of the description. */
export function operationsOf({ paths }: Description): { tag: string; operations: Operation[] }[] {
  const groups = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, described] of Object.entries(methods)) {
      const operation = operationOf(path, method, described);
      groups.set(operation.tag, [...(groups.get(operation.tag) ?? []), operation]);
    }
  }
  return [...groups].map(([tag, operations]) => ({ tag, operations }));
}

function operationOf(path: string, method: string, described: Described): Operation {
  return {
    id: described.operationId,
    method: method.toUpperCase(),
    path,
    tag: described.tags?.[0] ?? '',
    summary: described.summary ?? described.operationId,
    description: described.description,
    parameters: described.parameters ?? [],
    body: described.requestBody?.content?.[JSON_TYPE]?.schema,
    answers: Object.entries(described.responses ?? {}).map(([status, { description, content }]) => ({
      status,
      description,
      schema: Object.values(content ?? {})[0]?.schema,
    })),
  };
}

/** Groups of those operations that have every word of `text` somewhere. */
export function found(
  groups: ReturnType<typeof operationsOf>,
  text: string,
): ReturnType<typeof operationsOf> {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return groups
    .map(({ tag, operations }) => ({
      tag,
      operations: operations.filter(({ id, method, path, summary }) => {
        const all = `${tag} ${id} ${method} ${path} ${summary}`.toLowerCase();
        return words.every((word) => all.includes(word));
      }),
    }))
    .filter(({ operations }) => operations.length > 0);
}

/** Deeper than this an example repeats itself. */
const DEEPEST = 6;

/** A value of this shape. Absent fields of a body are those that may be absent. */
export function exampleOf(schema: Schema | undefined, description: Description, depth = 0): unknown {
  if (!schema || depth > DEEPEST) return null;
  if (schema.$ref) return exampleOf(referred(schema.$ref, description), description, depth + 1);
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.allOf) {
    return Object.assign({}, ...schema.allOf.map((part) => exampleOf(part, description, depth + 1)));
  }
  const choice = (schema.oneOf ?? schema.anyOf)?.find(({ type }) => type !== 'null');
  if (choice) return exampleOf(choice, description, depth + 1);
  const type = Array.isArray(schema.type) ? schema.type.find((name) => name !== 'null') : schema.type;
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([name]) => !schema.required || schema.required.includes(name))
          .map(([name, part]) => [name, exampleOf(part, description, depth + 1)]),
      );
    case 'array':
      return [exampleOf(schema.items, description, depth + 1)];
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return 0;
    case 'string':
      return EXAMPLES[schema.format ?? ''] ?? 'text';
    default:
      return null;
  }
}

const EXAMPLES: Record<string, string> = {
  uuid: '00000000-0000-0000-0000-000000000000',
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
};

function referred(reference: string, { components }: Description): Schema | undefined {
  return components.schemas[reference.replace('#/components/schemas/', '')];
}

export interface Try {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** The request that is sent, of what was filled in; empty parameters are left out. */
export function tryOf(operation: Operation, values: Record<string, string>, body: string): Try {
  let url = operation.path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  for (const parameter of operation.parameters) {
    const value = (values[parameter.name] ?? '').trim();
    if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value === '') continue;
    else if (parameter.in === 'query') query.set(parameter.name, value);
    else headers[parameter.name] = value;
  }
  if (operation.body) headers['Content-Type'] = JSON_TYPE;
  const text = query.toString();
  return {
    url: text === '' ? url : `${url}?${text}`,
    method: operation.method,
    headers,
    body: operation.body ? body : undefined,
  };
}

/** Names of what has to be filled in and is not. */
export function missingOf(operation: Operation, values: Record<string, string>): string[] {
  return operation.parameters
    .filter(({ name, in: place, required }) => (required || place === 'path') && !values[name]?.trim())
    .map(({ name }) => name);
}
