/* Sockets of Baserow's channel: /ws/core/. */
import assert from 'node:assert/strict';
import { UUID } from './rest.js';

/* Opens a socket and sees its first message, which is always `authentication` (2.3). token null: without one. */
export async function connect(server, token, { id, query = {}, success = true } = {}) {
  const parameters = new URLSearchParams({ ...(token === null ? {} : { jwt_token: token }), ...(id === undefined ? {} : { web_socket_id: id }), ...query });
  const socket = await server.socket(null, { path: '/ws/core/', query: `?${parameters}` });
  const first = await socket.next('authentication');
  socket.id = first.web_socket_id;
  assert.deepEqual(first, { type: 'authentication', success, web_socket_id: socket.id, replay_enabled: false });
  if (id === undefined) assert.match(socket.id, UUID);
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
  return { messages: socket.frames.splice(0), code, reason };
}
