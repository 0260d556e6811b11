/*
 * People who speak Baserow's dialect over REST: registration, log-in, requests below /api/, error answers.
 * Passwords are PASSWORD; e-mail addresses are NAME@example.com.
 */
import assert from 'node:assert/strict';
import { ADMIN } from './harness.js';

export const PASSWORD = 'a long password';
export const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/;

export class Person {
  constructor(server, { id, email, name, token, refreshToken }) {
    Object.assign(this, { server, id, email, name, token, refreshToken });
  }

  /* A new user; more: keys of the registration's body. */
  static async register(server, name, more = {}) {
    const email = `${name.toLowerCase()}@example.com`;
    const { status, body } = await server.rest('POST', '/api/user/', { name, email, password: PASSWORD, authenticate: true, ...more }, null);
    assert.equal(status, 200, JSON.stringify(body));
    return Person.#of(server, body);
  }

  static async login(server, email = ADMIN.email, password = ADMIN.password) {
    const { status, body } = await server.rest('POST', '/api/user/token-auth/', { email, password }, null);
    assert.equal(status, 200, JSON.stringify(body));
    return Person.#of(server, body);
  }

  static #of(server, { user, access_token: token, refresh_token: refreshToken }) {
    return new Person(server, { id: user.id, email: user.username, name: user.first_name, token, refreshToken });
  }

  /* { status, body, headers } of a path below /api/. */
  rest(method, target, body, headers = {}) {
    return this.server.rest(method, `/api/${target}`, body, null, { Authorization: `JWT ${this.token}`, ...headers });
  }

  /* The same, but anything else than 200, 202 or 204 fails the scenario: returns the body. */
  async ask(method, target, body, headers = {}) {
    const { status, body: answer } = await this.rest(method, target, body, headers);
    assert.ok([200, 202, 204].includes(status), `${method} ${target}: ${status} ${JSON.stringify(answer)}`);
    if (status === 204) assert.equal(answer, '', `${method} ${target}`);
    return answer;
  }
}

/* `{"error": …, "detail": …}` and nothing beside it (8.3); returns the detail. */
export function assertCode(answer, status, code) {
  const shown = `${answer.status} ${JSON.stringify(answer.body)}`;
  assert.equal(answer.status, status, shown);
  assert.match(answer.headers.get('content-type'), /^application\/json/, shown);
  assert.deepEqual(Object.keys(answer.body).sort(), ['detail', 'error'], shown);
  assert.equal(answer.body.error, code, shown);
  return answer.body.detail;
}

/* A validation error (8.4) whose detail is: { field: [code, …], … }, nested where it nests. */
export function assertInvalid(answer, wanted, code = 'ERROR_REQUEST_BODY_VALIDATION') {
  const codes = (detail) => (Array.isArray(detail) ? detail.map((one) => {
    assert.deepEqual(Object.keys(one).sort(), ['code', 'error']);
    assert.equal(typeof one.error, 'string');
    return one.code;
  }) : Object.fromEntries(Object.entries(detail).map(([key, inner]) => [key, codes(inner)])));
  const detail = assertCode(answer, 400, code);
  assert.deepEqual(codes(detail), wanted, JSON.stringify(detail));
}
