/*
 * A WebSocket client without manners: bytes over a socket, so that a scenario decides each bit and each cut.
 */
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { ADMIN, within } from './harness.js';

export const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

/* One frame of a client. size: 7, 16 or 64 bits for the length, else the shortest. */
export function frame(opcode, payload = '', { fin = true, rsv = 0, masked = true, size, claims } = {}) {
  const body = Buffer.from(payload), length = claims ?? body.length;
  const bits = size ?? (length < 126 ? 7 : length < 65536 ? 16 : 64);
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  if (bits === 7) head.push(length);
  else if (bits === 16) head.push(126, length >> 8, length & 255);
  else head.push(127, ...bigEndian(BigInt(length)));
  if (!masked) return Buffer.concat([Buffer.from(head), body]);
  head[1] |= 0x80;
  const mask = randomBytes(4);
  for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
  return Buffer.concat([Buffer.from(head), mask, body]);
}

function bigEndian(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(number);
  return bytes;
}

export function closePayload(code, reason = '') {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

export const ask = (message, options) => frame(TEXT, JSON.stringify(message), options);

/* The request to upgrade; headers that are null are left out. */
export function upgradeRequest(server, { token = ADMIN.token, target = '/websocket', method = 'GET', version = 'HTTP/1.1', headers = {} } = {}) {
  const all = {
    Host: `127.0.0.1:${server.port}`, Upgrade: 'websocket', Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version': '13',
    ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} ${version}\r\n${lines.join('')}\r\n`;
}

export class RawSocket {
  /* Connected, nothing sent. */
  static async connect(server) {
    const raw = new RawSocket();
    raw.input = Buffer.alloc(0);
    raw.ended = false;
    raw.waiting = null;
    raw.socket = net.connect(server.port, '127.0.0.1');
    raw.socket.setNoDelay(true);
    raw.socket.on('error', () => {}); /* a reset is an end like any other; 'close' tells */
    raw.socket.on('data', (bytes) => { raw.input = Buffer.concat([raw.input, bytes]); raw.#wake(); });
    raw.socket.on('close', () => { raw.ended = true; raw.#wake(); });
    raw.socket.on('end', () => raw.socket.end());
    await within(new Promise((resolve, reject) => raw.socket.once('connect', resolve).once('error', reject)), 'the connection');
    server.sockets.add(raw);
    return raw;
  }

  /* A WebSocket, open. behind: bytes that are sent together with the request. */
  static async open(server, { behind = Buffer.alloc(0), ...options } = {}) {
    const raw = await RawSocket.connect(server);
    raw.write(Buffer.concat([Buffer.from(upgradeRequest(server, options)), behind]));
    raw.head = await raw.readHead();
    if (!raw.head.startsWith('HTTP/1.1 101 ')) throw new Error(`refused: ${raw.head}`);
    return raw;
  }

  #wake() {
    this.waiting?.();
    this.waiting = null;
  }

  /* Waits until `find` finds something in the input, or nothing more will come. */
  async #until(find, what) {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.ended) return null;
      await within(new Promise((resolve) => { this.waiting = resolve; }), what);
    }
  }

  write(bytes) { this.socket.write(bytes); }

  /* One byte after the other, each in a packet of its own as far as the system lets us. */
  async writeSlowly(bytes) {
    for (const byte of bytes) await new Promise((resolve) => this.socket.write(Buffer.from([byte]), resolve));
  }

  async readHead() {
    return this.#until(() => {
      const end = this.input.indexOf('\r\n\r\n');
      if (end < 0) return undefined;
      const head = this.input.subarray(0, end + 4).toString('latin1');
      this.input = this.input.subarray(end + 4);
      return head;
    }, 'the head of a response');
  }

  /* That many bytes; null: the connection ended before them. */
  async readBytes(count) {
    return this.#until(() => {
      if (this.input.length < count) return undefined;
      const bytes = this.input.subarray(0, count);
      this.input = this.input.subarray(count);
      return bytes;
    }, `${count} bytes`);
  }

  /* Everything until the connection ends, as text. */
  async readToEnd() {
    await this.#until(() => undefined, 'the end of the connection');
    return this.input.toString('latin1');
  }

  /* The next frame: { fin, rsv, opcode, masked, payload }; null: the connection ended. */
  async next(what = 'a frame') {
    return this.#until(() => this.#takeFrame(), what);
  }

  #takeFrame() {
    const { input } = this;
    if (input.length < 2) return undefined;
    let length = input[1] & 127, at = 2;
    if (length === 126) {
      if (input.length < 4) return undefined;
      length = input.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (input.length < 10) return undefined;
      length = Number(input.readBigUInt64BE(2));
      at = 10;
    }
    if (input.length < at + length) return undefined;
    this.input = input.subarray(at + length);
    return {
      fin: (input[0] & 128) !== 0, rsv: (input[0] >> 4) & 7, opcode: input[0] & 15, masked: (input[1] & 128) !== 0,
      payload: Buffer.from(input.subarray(at, at + length)),
    };
  }

  /* The next message, parsed. */
  async nextJson() {
    const got = await this.next('a message');
    if (got?.opcode !== TEXT) throw new Error(`a message was awaited, but came ${JSON.stringify(got)}`);
    return JSON.parse(got.payload);
  }

  /*
   * How it ends, reading what comes before: { code, reason, frames }. The goodbye is answered unless we sent ours.
   * code null: there was no close frame; 1005: it had no code.
   */
  async ending({ answer = true } = {}) {
    const frames = [];
    for (;;) {
      const got = await this.next('the end of the connection');
      if (!got) return { code: null, reason: '', frames };
      if (got.opcode !== CLOSE) {
        frames.push(got);
        continue;
      }
      if (answer) this.write(frame(CLOSE, got.payload.subarray(0, 2)));
      const rest = await this.next('the end of the connection behind its goodbye');
      if (rest) throw new Error('something came behind the goodbye');
      return { code: got.payload.length ? got.payload.readUInt16BE(0) : 1005, reason: got.payload.subarray(2).toString(), frames };
    }
  }

  terminate() { this.socket.destroy(); }
}

export function acceptFor(key) {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
