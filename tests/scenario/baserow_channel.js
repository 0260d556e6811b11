/* Sockets of Baserow's channel: /ws/core/. */
import assert from 'node:assert/strict';
import { UUID } from './rest.js';

/* Takes the number off a message: it stays in `event`, which comparisons of whole messages do not see. */
export function hideNumber(message) {
  if (!('_event_id' in message)) return message;
  const { _event_id: event } = message;
  delete message._event_id;
  return Object.defineProperty(message, 'event', { value: event });
}

/* Who is told that it may ask for what it missed: who names a user, well or badly (2026: 1.2). */
const isCaughtUp = (token) => Boolean(token) && token !== 'anonymous';

/*
 * Opens a socket and sees its first message, which is always `authentication` (2.3). token null: without one.
 * Messages come without their numbers (hideNumber), but as they are when `raw`.
 */
export async function connect(server, token, { id, query = {}, success = true, raw = false, replay = isCaughtUp(token) } = {}) {
  const parameters = new URLSearchParams({ ...(token === null ? {} : { jwt_token: token }), ...(id === undefined ? {} : { web_socket_id: id }), ...query });
  const socket = await server.socket(null, { path: '/ws/core/', query: `?${parameters}` });
  const first = await socket.next('authentication');
  socket.id = first.web_socket_id;
  assert.deepEqual(first, { type: 'authentication', success, web_socket_id: socket.id, replay_enabled: replay });
  if (id === undefined) assert.match(socket.id, UUID);
  const next = socket.next.bind(socket);
  if (!raw) socket.next = (what) => next(what).then(hideNumber);
  return socket;
}

/* Everything that came until now: what comes before the answer to a ping. */
export async function heard(socket) {
  const came = [];
  socket.send({ type: 'ping' });
  for (;;) {
    const frame = await socket.next('the end of what came');
    if (frame.type === 'pong') return came;
    came.push(frame);
  }
}

/* Everything that comes until the socket is closed: { messages, code, reason }. */
export async function heardToTheEnd(socket) {
  const { code, reason } = await socket.closed;
  return { messages: socket.frames.splice(0).map(hideNumber), code, reason };
}
