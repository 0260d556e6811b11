/* What the scenarios of REST share: error answers, query strings, HTTP over a bare socket. */
import assert from 'node:assert/strict';
import { RawSocket } from './raw.js';

export { RawSocket };

export const INTEGER_KEY = { type: 'integer', schema: { is_primary_key: true, has_auto_increment: true } };
export const UUID_KEY = { type: 'uuid', schema: { is_primary_key: true, is_nullable: false }, meta: { special: ['uuid'] } };
export const STRING_KEY = { type: 'string', schema: { is_primary_key: true, is_nullable: false } };
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/* One error of this status and code (D.2), in its envelope and nothing beside it; returns its extensions. */
export function assertError(answer, status, code, { text, ...extensions } = {}) {
  const shown = `${answer.status} ${JSON.stringify(answer.body)}`;
  assert.equal(answer.status, status, shown);
  assert.match(answer.headers.get('content-type'), /^application\/json; charset=utf-8$/, shown);
  assert.deepEqual(Object.keys(answer.body), ['errors'], shown);
  assert.equal(answer.body.errors.length, 1, shown);
  const [error] = answer.body.errors;
  assert.deepEqual(Object.keys(error).sort(), ['extensions', 'message'], shown);
  assert.equal(typeof error.message, 'string', shown);
  assert.ok(error.message.length > 0, shown);
  assert.equal(error.extensions.code, code, shown);
  if (text) assert.match(error.message, text, shown);
  for (const [name, value] of Object.entries(extensions)) assert.deepEqual(error.extensions[name], value, `${name} of ${shown}`);
  return error.extensions;
}

/* FAILED_VALIDATION: one entry for each broken rule, in any order; wanted: { field, type, … } each. */
export function assertViolations(answer, ...wanted) {
  const shown = `${answer.status} ${JSON.stringify(answer.body)}`;
  assert.equal(answer.status, 400, shown);
  const got = answer.body.errors.map(({ message, extensions: { code, path, ...rest } }) => {
    assert.equal(code, 'FAILED_VALIDATION', shown);
    assert.deepEqual(path, [], shown);
    assert.ok(message.startsWith(`Validation failed for field "${rest.field}".`), shown);
    return rest;
  });
  const order = (a, b) => (JSON.stringify([a.field, a.type]) < JSON.stringify([b.field, b.type]) ? -1 : 1);
  assert.deepEqual(got.sort(order), wanted.sort(order), shown);
}

/* { filter: { a: { _eq: 1 } }, fields: ['id'] } → `?filter[a][_eq]=1&fields[]=id`, escaped. */
export function bracketed(query) {
  const pairs = [];
  const walk = (name, value) => {
    if (Array.isArray(value) && value.every((one) => one === null || typeof one !== 'object')) for (const one of value) pairs.push([`${name}[]`, one]);
    else if (value !== null && typeof value === 'object') for (const [key, one] of Object.entries(value)) walk(`${name}[${key}]`, one);
    else pairs.push([name, value]);
  };
  for (const [key, value] of Object.entries(query)) walk(key, value);
  return `?${pairs.map((pair) => pair.map((part) => encodeURIComponent(String(part))).join('=')).join('&')}`;
}

/* The same with objects as JSON text, as clients of the official kit send them. */
export function jsonQuery(query) {
  return `?${Object.entries(query).map(([key, value]) =>
    `${key}=${encodeURIComponent(value !== null && typeof value === 'object' ? JSON.stringify(value) : value)}`).join('&')}`;
}

/* A request of HTTP/1.1 as text. */
export function httpText(method, target, { headers = {}, body = '', host = 'localhost' } = {}) {
  const all = { ...(host ? { Host: host } : {}), ...(body ? { 'Content-Length': Buffer.byteLength(body) } : {}), ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`));
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/* HTTP over a bare socket: what is written is what was given, answers are taken one by one. */
export class HttpSocket {
  static async connect(server) {
    const http = new HttpSocket();
    http.raw = await RawSocket.connect(server);
    return http;
  }

  write(bytes) { this.raw.write(bytes); }

  /* The next answer: { status, headers (lower case), body (text), json }; null: the connection ended. */
  async answer({ head = false } = {}) {
    const text = await this.raw.readHead();
    if (text === null) return null;
    const [first, ...lines] = text.trimEnd().split('\r\n');
    const found = first.match(/^HTTP\/1\.1 (\d{3}) (\S.*)$/);
    assert.ok(found, `a status line: ${first}`);
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
    }));
    const status = Number(found[1]), empty = head || status < 200 || status === 204 || status === 304;
    const bytes = empty ? Buffer.alloc(0) : await this.raw.readBytes(Number(headers.get('content-length')));
    const body = bytes?.toString() ?? null;
    const json = /json/.test(headers.get('content-type') ?? '') && !headers.has('content-encoding') && body ? JSON.parse(body) : undefined;
    return { status, headers, body: json ?? body, bytes };
  }

  async ask(method, target, options = {}) {
    this.write(httpText(method, target, options));
    return this.answer({ head: method === 'HEAD' });
  }

  /* The server hangs up, having said nothing more. */
  async assertEnd() { assert.equal(await this.raw.readToEnd(), ''); }
  close() { this.raw.terminate(); }
}
