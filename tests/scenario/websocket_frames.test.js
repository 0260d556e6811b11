/*
 * WebSocket conformance over raw sockets: RFC 6455 in the order of Autobahn's categories; lines T2 and T3 of the checklist.
 *
 * An error answer returns the uid of its request, so a request for what is not there is an echo of any length.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './harness.js';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, RawSocket, TEXT, acceptFor, closePayload, frame, upgradeRequest } from './raw.js';

const LIMIT = 1024 * 1024; /* MAX_PAYLOAD_SIZE */
let server, witness;

before(async () => {
  server = await Server.start();
  witness = await server.socket();
});
after(async () => {
  if (witness) assert.deepEqual(await witness.drain(), []); /* nothing that happened here closed it, or told it anything */
  await server?.stop();
});

const open = (options) => RawSocket.open(server, options);
const echoRequest = (uid) => JSON.stringify({ type: 'get', collection: 'nowhere', uid });

/* A request of exactly so many bytes, and its uid. */
function requestOf(size) {
  const uid = 'x'.repeat(size - echoRequest('').length);
  return { text: echoRequest(uid), uid };
}

async function assertEcho(raw, uid) {
  const got = await raw.next(`the echo of ${String(uid).slice(0, 20)}`);
  assert.ok(got, 'the connection ended');
  assert.deepEqual([got.opcode, got.fin, got.rsv, got.masked], [TEXT, true, 0, false]);
  assert.equal(JSON.parse(got.payload).uid, uid);
}

const assertAlive = async (raw) => {
  raw.write(frame(TEXT, echoRequest('alive')));
  await assertEcho(raw, 'alive');
};

/* What the server does with these frames on a fresh connection. */
async function endingOf(bytes) {
  const raw = await open();
  raw.write(bytes);
  return raw.ending();
}

async function assertClosed(bytes, code, what) {
  const ending = await endingOf(bytes);
  assert.equal(ending.code, code, what);
  return ending;
}

/* ---- handshake, section 4.2 ---- */

test('RFC 6455 4.2.2 the handshake answers 101 with the key\'s digest and no extension', async () => {
  const raw = await open({ headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' } });
  assert.match(raw.head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.match(raw.head, /\r\nUpgrade: websocket\r\n/i);
  assert.match(raw.head, /\r\nConnection: Upgrade\r\n/i);
  assert.ok(raw.head.includes(`\r\nSec-WebSocket-Accept: ${acceptFor('dGhlIHNhbXBsZSBub25jZQ==')}\r\n`), raw.head);
  assert.doesNotMatch(raw.head, /Sec-WebSocket-Extensions|Content-Length|Transfer-Encoding/i);
});

test('RFC 6455 4.2.1 names of headers and tokens are compared without case, Connection may be a list', async () => {
  await open({ headers: { Upgrade: null, Connection: null, uPGRADE: 'WebSocket', cONNECTION: 'keep-alive, upgrade' } });
});

test('RFC 6455 4.2.1 a handshake that is none is refused', async () => {
  for (const [options, status] of [
    [{ headers: { 'Sec-WebSocket-Key': null } }, 400], [{ headers: { 'Sec-WebSocket-Key': 'short' } }, 400],
    [{ headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZS4uLg==' } }, 400], [{ headers: { 'Sec-WebSocket-Version': null } }, 400],
    [{ headers: { 'Sec-WebSocket-Version': '8' } }, 426], [{ method: 'POST', headers: { 'Content-Length': '0' } }, 400],
  ]) {
    const raw = await RawSocket.connect(server);
    raw.write(upgradeRequest(server, options));
    const head = await raw.readHead();
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(options));
    if (status === 426) assert.match(head, /\r\nSec-WebSocket-Version: 13\r\n/);
    raw.terminate();
  }
});

test('RFC 6455 4.1 a request without Upgrade or with another protocol is plain HTTP', async () => {
  for (const headers of [{ Upgrade: null, Connection: null }, { Upgrade: 'h2c' }]) {
    const raw = await RawSocket.connect(server);
    raw.write(upgradeRequest(server, { headers }));
    assert.match(await raw.readHead(), /^HTTP\/1\.1 404 /);
    raw.terminate();
  }
});

test('B12 frames that come in one packet with the handshake are processed', async () => {
  const behind = Buffer.concat([frame(TEXT, echoRequest('a')), frame(PING, 'p'), frame(TEXT, echoRequest('b'))]);
  const raw = await open({ behind });
  const frames = [await raw.next(), await raw.next(), await raw.next()];
  assert.ok(frames.some((got) => got.opcode === PONG && String(got.payload) === 'p'));
  assert.deepEqual(frames.filter((got) => got.opcode === TEXT).map((got) => JSON.parse(got.payload).uid), ['a', 'b']);
});

test('T2 handshake and frames come one byte at a time', async () => {
  const raw = await RawSocket.connect(server);
  await raw.writeSlowly(Buffer.concat([Buffer.from(upgradeRequest(server)), frame(TEXT, echoRequest('slow')), frame(PING, 'still here')]));
  assert.match(await raw.readHead(), /^HTTP\/1\.1 101 /);
  const frames = [await raw.next(), await raw.next()];
  assert.deepEqual(frames.map((got) => got.opcode).sort(), [TEXT, PONG]);
});

/* ---- 1. sizes ---- */

test('Autobahn 1: messages at each border of the length field, text and binary', async () => {
  const raw = await open();
  for (const size of [52, 125, 126, 127, 128, 65535, 65536, 65537])
    for (const opcode of [TEXT, BINARY]) {
      const { text, uid } = requestOf(size);
      raw.write(frame(opcode, text));
      await assertEcho(raw, uid);
    }
});

test('Autobahn 1.1.1: an empty message is a message', async () => {
  const raw = await open();
  for (const opcode of [TEXT, BINARY]) {
    raw.write(frame(opcode));
    assert.equal((await raw.nextJson()).data.code, 'INVALID_PAYLOAD');
  }
});

test('Autobahn 1.1.8: a message cut into pieces of 997 bytes', async () => {
  const raw = await open(), { text, uid } = requestOf(65536), bytes = frame(TEXT, text);
  for (let at = 0; at < bytes.length; at += 997) raw.write(bytes.subarray(at, at + 997));
  await assertEcho(raw, uid);
});

test('RFC 6455 5.2: a length that does not take its shortest form is a protocol error', async () => {
  await assertClosed(frame(TEXT, '{}', { size: 16 }), 1002);
  await assertClosed(frame(TEXT, '{}', { size: 64 }), 1002);
  await assertClosed(frame(TEXT, 'x'.repeat(65535), { size: 64 }), 1002);
});

test('RFC 6455 5.2: a length with its top bit set is a protocol error', async () => {
  const bytes = Buffer.concat([Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1]), Buffer.alloc(4)]);
  assert.ok([1002, 1009].includes((await endingOf(bytes)).code));
});

test('RFC 6455 5.1: a frame without mask is a protocol error', async () => {
  for (const opcode of [TEXT, BINARY, PING, CLOSE]) await assertClosed(frame(opcode, '', { masked: false }), 1002, `opcode ${opcode}`);
});

/* ---- 2. pings ---- */

test('Autobahn 2: pings of 0 to 125 bytes are answered with the same bytes, any byte allowed', async () => {
  const raw = await open();
  for (const payload of [Buffer.alloc(0), Buffer.from('Hello'), Buffer.from([0, 0xff, 0xfe, 0xfd, 0x80]), Buffer.alloc(124, 1), Buffer.alloc(125, 0xfe)]) {
    raw.write(frame(PING, payload));
    const got = await raw.next();
    assert.deepEqual([got.opcode, got.fin, got.masked], [PONG, true, false]);
    assert.deepEqual(got.payload, payload);
  }
});

test('Autobahn 2.5: a ping of 126 bytes is a protocol error', async () => {
  await assertClosed(frame(PING, 'x'.repeat(126)), 1002);
});

test('Autobahn 2.6: a ping one byte at a time', async () => {
  const raw = await open();
  await raw.writeSlowly(frame(PING, 'x'.repeat(125)));
  assert.equal((await raw.next()).payload.length, 125);
});

test('Autobahn 2.7 to 2.9: pongs that nobody asked for are ignored', async () => {
  const raw = await open();
  raw.write(Buffer.concat([frame(PONG), frame(PONG, 'unsolicited'), frame(PING, 'asked')]));
  assert.equal(String((await raw.next()).payload), 'asked');
  await assertAlive(raw);
});

test('Autobahn 2.10, 2.11: ten pings are answered in their order, in one packet and in single bytes', async () => {
  for (const slow of [false, true]) {
    const raw = await open(), pings = Buffer.concat(Array.from({ length: 10 }, (_, i) => frame(PING, `ping ${i}`)));
    if (slow) await raw.writeSlowly(pings);
    else raw.write(pings);
    for (let i = 0; i < 10; i++) assert.equal(String((await raw.next()).payload), `ping ${i}`);
  }
});

test('T2 a flood of pings is answered at least for the latest, and hinders nothing', async () => {
  const raw = await open();
  raw.write(Buffer.concat([...Array.from({ length: 5000 }, (_, i) => frame(PING, String(i))), frame(TEXT, echoRequest('behind'))]));
  let last = -1, answered = false;
  while (last < 4999 || !answered) {
    const got = await raw.next();
    if (got.opcode === TEXT) answered = true;
    else {
      assert.ok(Number(got.payload) > last, 'the pongs are in order');
      last = Number(got.payload);
    }
  }
});

/* ---- 3. and 4. reserved bits and opcodes ---- */

test('Autobahn 3: any reserved bit is a protocol error, on data and on control frames', async () => {
  for (let rsv = 1; rsv <= 7; rsv++)
    for (const opcode of [TEXT, BINARY, PING, CLOSE]) await assertClosed(frame(opcode, 'x', { rsv }), 1002, `rsv ${rsv}, opcode ${opcode}`);
});

test('Autobahn 3.2: what came before the bad frame is answered', async () => {
  const { code, frames } = await endingOf(Buffer.concat([frame(PING, 'first'), frame(TEXT, 'x', { rsv: 4 }), frame(PING, 'never')]));
  assert.equal(code, 1002);
  assert.deepEqual(frames.map((got) => String(got.payload)), ['first']);
});

test('Autobahn 4: reserved opcodes are a protocol error', async () => {
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) await assertClosed(frame(opcode, 'x'), 1002, `opcode ${opcode}`);
});

/* ---- 5. fragments ---- */

test('Autobahn 5.1, 5.2: a fragmented ping or pong is a protocol error', async () => {
  for (const opcode of [PING, PONG]) await assertClosed(Buffer.concat([frame(opcode, 'a', { fin: false }), frame(CONTINUATION, 'b')]), 1002);
});

test('Autobahn 5.3 to 5.5: a message in two fragments, in one packet, in two and in single bytes', async () => {
  const text = echoRequest('halves'), first = frame(TEXT, text.slice(0, 9), { fin: false }), second = frame(CONTINUATION, text.slice(9));
  const raw = await open();
  raw.write(Buffer.concat([first, second]));
  await assertEcho(raw, 'halves');
  raw.write(frame(TEXT, text.slice(0, 9), { fin: false }));
  raw.write(frame(CONTINUATION, text.slice(9)));
  await assertEcho(raw, 'halves');
  await raw.writeSlowly(Buffer.concat([frame(TEXT, text.slice(0, 9), { fin: false }), frame(CONTINUATION, text.slice(9))]));
  await assertEcho(raw, 'halves');
});

test('Autobahn 5.6 to 5.8: a ping between fragments is answered at once, before the message is whole', async () => {
  const raw = await open(), text = echoRequest('pinged');
  raw.write(frame(TEXT, text.slice(0, 5), { fin: false }));
  raw.write(frame(PING, 'between'));
  const pong = await raw.next();
  assert.deepEqual([pong.opcode, String(pong.payload)], [PONG, 'between']);
  raw.write(frame(CONTINUATION, text.slice(5)));
  await assertEcho(raw, 'pinged');
});

test('Autobahn 5.9 to 5.14: a continuation of nothing is a protocol error', async () => {
  for (const fin of [true, false]) await assertClosed(frame(CONTINUATION, 'x', { fin }), 1002);
  await assertClosed(Buffer.concat([frame(TEXT, echoRequest('whole')), frame(CONTINUATION, 'x')]), 1002);
});

test('Autobahn 5.15, 5.18: a new message inside another is a protocol error', async () => {
  for (const opcode of [TEXT, BINARY]) await assertClosed(Buffer.concat([frame(TEXT, '{', { fin: false }), frame(opcode, '}')]), 1002);
});

test('Autobahn 5.19, 5.20: many fragments, empty ones among them, with pings in between', async () => {
  const raw = await open(), { text, uid } = requestOf(600);
  raw.write(frame(TEXT, '', { fin: false }));
  for (let i = 0; i < text.length; i++) {
    raw.write(frame(CONTINUATION, text[i], { fin: false }));
    if (i % 50 === 0) {
      raw.write(Buffer.concat([frame(PING, `at ${i}`), frame(CONTINUATION, '', { fin: false })]));
      assert.equal(String((await raw.next()).payload), `at ${i}`);
    }
  }
  raw.write(frame(CONTINUATION));
  await assertEcho(raw, uid);
});

test('RFC 6455 5.4: a close between fragments ends the connection, and the half message is nothing', async () => {
  const { code, frames } = await endingOf(Buffer.concat([frame(TEXT, echoRequest('half'), { fin: false }), frame(CLOSE, closePayload(1000)), frame(CONTINUATION)]));
  assert.deepEqual([code, frames], [1000, []]);
});

test('T2 many frames in one packet are all answered, in order', async () => {
  const raw = await open();
  raw.write(Buffer.concat(Array.from({ length: 300 }, (_, i) => frame(i % 2 ? TEXT : BINARY, echoRequest(i + 1)))));
  for (let i = 1; i <= 300; i++) await assertEcho(raw, i);
});

/* ---- 6. UTF-8 ---- */

const VALID = ['κόσμε', 'Hello-µ@ßöäüàá-UTF-8!!', '\u0001\u007f', '\u0080\u07ff', '\u0800\uffff', '\u{10000}\u{10ffff}', '\ud7ff\ue000\ufffd', '\ufdd0\ufffe\u{1fffe}'];
const INVALID = {
  'a lone continuation': [0x80], 'another': [0xbf], 'two of them': [0x80, 0xbf], 'fe': [0xfe], 'ff': [0xff],
  'a start without its rest': [0xc0, 0x20], 'two bytes cut': [0xdf], 'three bytes cut': [0xef, 0xbf], 'four bytes cut': [0xf7, 0xbf, 0xbf],
  'a slash in two bytes': [0xc0, 0xaf], 'in three': [0xe0, 0x80, 0xaf], 'in four': [0xf0, 0x80, 0x80, 0xaf], 'in five': [0xf8, 0x80, 0x80, 0x80, 0xaf],
  'overlong': [0xc1, 0xbf], 'overlong three': [0xe0, 0x9f, 0xbf], 'overlong four': [0xf0, 0x8f, 0xbf, 0xbf],
  'a surrogate': [0xed, 0xa0, 0x80], 'the last surrogate': [0xed, 0xbf, 0xbf], 'a pair of them': [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
  'past U+10FFFF': [0xf4, 0x90, 0x80, 0x80], 'six bytes': [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80], 'a hole': [0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xed, 0xa0, 0x80],
};
const around = (bytes) => Buffer.concat([Buffer.from('{"uid":"'), Buffer.from(bytes), Buffer.from('"}')]);

test('Autobahn 6.2: valid UTF-8, whole and cut between any two bytes', async () => {
  const raw = await open();
  for (const text of VALID) {
    const bytes = Buffer.from(echoRequest(text));
    raw.write(frame(TEXT, bytes));
    await assertEcho(raw, text);
    const cut = bytes.indexOf('"uid"') + 7;
    for (let at = cut; at <= bytes.length - 2; at++) {
      raw.write(Buffer.concat([frame(TEXT, bytes.subarray(0, at), { fin: false }), frame(CONTINUATION, bytes.subarray(at))]));
      await assertEcho(raw, text);
    }
  }
});

test('Autobahn 6.3, 6.6 and more: invalid UTF-8 closes with 1007, wherever it is cut', async () => {
  for (const [what, bytes] of Object.entries(INVALID)) {
    const whole = around(bytes);
    await assertClosed(frame(TEXT, whole), 1007, what);
    const cut = 8 + Math.min(1, bytes.length - 1);
    await assertClosed(Buffer.concat([frame(TEXT, whole.subarray(0, cut), { fin: false }), frame(CONTINUATION, whole.subarray(cut))]), 1007, `${what}, cut`);
  }
});

test('Autobahn 6.1.3 and RFC 6455 8.1: a message that ends inside a character closes with 1007', async () => {
  await assertClosed(frame(TEXT, Buffer.from([0xe2, 0x82])), 1007);
  await assertClosed(Buffer.concat([frame(TEXT, Buffer.from([0xe2]), { fin: false }), frame(CONTINUATION, Buffer.from([0x82]))]), 1007);
  await assertClosed(Buffer.concat([frame(TEXT, Buffer.from([0xe2]), { fin: false }), frame(CONTINUATION)]), 1007);
});

test('Autobahn 6.4: invalid text is found before the message, or the frame, is whole', async () => {
  const raw = await open();
  raw.write(frame(TEXT, around([0xf4, 0x90]), { fin: false }));
  assert.equal((await raw.ending()).code, 1007);
  await assertClosed(frame(TEXT, Buffer.from([0xff]), { claims: 5000 }), 1007);
});

test('0. a binary message that is no UTF-8 is an invalid payload, and closes nothing', async () => {
  const raw = await open();
  raw.write(frame(BINARY, Buffer.from([0xff, 0xfe])));
  assert.equal((await raw.nextJson()).data.code, 'INVALID_PAYLOAD');
  raw.write(frame(BINARY, around([0x80])));
  assert.equal((await raw.nextJson()).data.code, 'INVALID_PAYLOAD');
  await assertAlive(raw);
});

/* ---- 7. close ---- */

test('Autobahn 7.1.1, 7.1.5: answers come before the goodbye, and what is behind a close is not looked at', async () => {
  const raw = await open();
  raw.write(frame(TEXT, echoRequest('before')));
  await assertEcho(raw, 'before');
  raw.write(Buffer.concat([frame(CLOSE, closePayload(1000, 'bye')), frame(TEXT, echoRequest('behind')), frame(PING, 'behind')]));
  assert.deepEqual(await raw.ending({ answer: false }).then(({ code, frames }) => [code, frames]), [1000, []]);
});

test('Autobahn 7.1.2: two close frames', async () => {
  await assertClosed(Buffer.concat([frame(CLOSE, closePayload(1000)), frame(CLOSE, closePayload(1000))]), 1000);
});

test('Autobahn 7.3: close frames without a code, with one byte, with a reason of 123 bytes, too long', async () => {
  assert.ok([1000, 1005].includes((await endingOf(frame(CLOSE))).code));
  await assertClosed(frame(CLOSE, 'a'), 1002);
  await assertClosed(frame(CLOSE, closePayload(1000, 'x'.repeat(123))), 1000);
  await assertClosed(frame(CLOSE, closePayload(1000, 'x'.repeat(124))), 1002);
});

test('Autobahn 7.5: a reason that is no UTF-8', async () => {
  assert.ok([1002, 1007].includes((await endingOf(frame(CLOSE, closePayload(1000, Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80]))))).code));
});

test('Autobahn 7.7: valid codes are echoed', async () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) await assertClosed(frame(CLOSE, closePayload(code)), code, `code ${code}`);
});

test('Autobahn 7.9: invalid codes are a protocol error', async () => {
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]) await assertClosed(frame(CLOSE, closePayload(code)), 1002, `code ${code}`);
});

test('RFC 6455 5.5.1 a fragmented close is a protocol error', async () => {
  await assertClosed(frame(CLOSE, closePayload(1000), { fin: false }), 1002);
});

/* ---- 9. and 10. sizes ---- */

test('Autobahn 9.1, T3: a message of exactly the limit is read', async () => {
  const raw = await open(), { text, uid } = requestOf(LIMIT);
  raw.write(frame(TEXT, text));
  await assertEcho(raw, uid);
});

test('T3 a message one byte above the limit closes with 1009, told by its header alone', async () => {
  await assertClosed(frame(TEXT, requestOf(LIMIT + 1).text), 1009);
  await assertClosed(frame(TEXT, 'x', { claims: LIMIT + 1 }), 1009);
  await assertClosed(frame(BINARY, 'x', { size: 64, claims: 2 ** 40 }), 1009);
});

test('Autobahn 9.3, 9.4: a message of exactly the limit in fragments is read; one more byte closes with 1009', async () => {
  const raw = await open(), { text, uid } = requestOf(LIMIT), size = 65536;
  for (let at = 0; at < LIMIT; at += size) raw.write(frame(at ? CONTINUATION : TEXT, text.slice(at, at + size), { fin: at + size >= LIMIT }));
  await assertEcho(raw, uid);
  for (let at = 0; at < LIMIT; at += size) raw.write(frame(at ? CONTINUATION : TEXT, text.slice(at, at + size), { fin: false }));
  raw.write(frame(CONTINUATION, 'x', { fin: false }));
  assert.equal((await raw.ending()).code, 1009);
});

test('Autobahn 9.5: a large message in small pieces', async () => {
  const raw = await open(), { text, uid } = requestOf(256 * 1024), bytes = frame(TEXT, text);
  for (let at = 0; at < bytes.length; at += 1300) raw.write(bytes.subarray(at, at + 1300));
  await assertEcho(raw, uid);
});

/* ---- ends of all sorts ---- */

test('T2 a connection that is cut at any place costs nobody else anything', async () => {
  const bytes = Buffer.concat([Buffer.from(upgradeRequest(server)), frame(TEXT, echoRequest('cut'), { fin: false }), frame(PING, 'x'), frame(CONTINUATION, 'more')]);
  for (let at = 1; at < bytes.length; at += 13) {
    const raw = await RawSocket.connect(server);
    raw.write(bytes.subarray(0, at));
    if (at % 2) raw.socket.end();
    else raw.socket.resetAndDestroy();
  }
  const raw = await open();
  await assertAlive(raw);
});

test('T2 an end of the stream without a close frame ends the connection', async () => {
  const raw = await open();
  raw.socket.end();
  assert.equal(await raw.next('the end'), null);
});

test('T2 random bytes close only the connection they came on', async () => {
  let seed = 99;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) >> 16 & 255;
  for (let round = 0; round < 60; round++) {
    const raw = await open();
    raw.write(Buffer.from(Array.from({ length: 1 + random() }, random)));
    raw.socket.end();
    await raw.readToEnd();
  }
  assert.deepEqual(await witness.drain(), []);
});
