/** Answers are read as they are meant, however their bytes come, or not at all. */
import test from "ava";
import { array, assert, constantFrom, integer, nat, property, string } from "fast-check";
import { MalformedResponseError, ResponseReader, type HttpResponse } from "../../../src/http/response-reader.ts";

/** Feeds the bytes in pieces, and then the end of the connection. */
function read(bytes: Buffer, cuts: readonly number[] = [], maxBodyBytes = 1_000_000) {
  const reader = new ResponseReader(maxBodyBytes);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  let answer: HttpResponse | undefined;
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    if (answer === undefined && end > start) answer = reader.take(bytes.subarray(start, end));
    start = end;
  }
  return { answer: answer ?? reader.end(), isKept: reader.isKept, hasBegun: reader.hasBegun };
}

const head = (...lines: readonly string[]): string => `${["HTTP/1.1 200 OK", ...lines].join("\r\n")}\r\n\r\n`;

function chunked(body: Buffer, sizes: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  let start = 0;
  for (const size of [...sizes, body.length]) {
    const part = body.subarray(start, start + size);
    start += part.length;
    if (part.length > 0) parts.push(Buffer.from(`${part.length.toString(16)};note=1\r\n`), part, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\nx-trailer: 1\r\n\r\n")]);
}

test("an answer is the same however its bytes are cut, and whatever says where it ends", (t) => {
  const body = string({ unit: "binary", maxLength: 300 });
  const cuts = array(nat(2_000), { maxLength: 20 });
  const sizes = array(integer({ min: 1, max: 90 }), { maxLength: 6 });
  assert(
    property(body, cuts, sizes, constantFrom("length", "chunked", "close"), (text, where, lengths, framing) => {
      const bytes = Buffer.from(text);
      const lines = {
        length: `Content-Length: ${String(bytes.length)}`,
        chunked: "Transfer-Encoding: Chunked",
        close: "X-Other: 1",
      };
      const whole = Buffer.concat([
        Buffer.from(head(lines[framing], "ETag:  a: b ")),
        framing === "chunked" ? chunked(bytes, lengths) : bytes,
      ]);

      const { answer, isKept } = read(whole, where);

      t.like(answer, { status: 200, body: bytes.toString() });
      t.is(answer?.headers["etag"], "a: b");
      t.is(isKept, framing !== "close");
    }),
    { numRuns: 300 },
  );
});

test("a connection is kept only where nothing speaks against it", (t) => {
  const isKept = (text: string) => read(Buffer.from(text)).isKept;

  t.true(isKept(head("content-length: 2") + "{}"));
  t.true(isKept("HTTP/1.1 204 No Content\r\n\r\n"));
  t.true(isKept("HTTP/1.1 304 \r\ncontent-length: 70\r\n\r\n"), "of which no body comes");
  t.false(isKept(head("content-length: 2", "connection: Close") + "{}"));
  t.false(isKept(head("content-length: 2", "connection: keep-alive, close") + "{}"));
  t.false(isKept("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}"));
  t.false(isKept(head("content-length: 2") + "{}{"), "more came than the answer");
  t.false(isKept(head("transfer-encoding: chunked") + "0\r\n\r\nHTTP/1.1 200 OK"));
});

test("interim answers are passed over", (t) => {
  const text = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${head("content-length: 2")}{}`;

  for (let cut = 0; cut < text.length; cut++)
    t.like(read(Buffer.from(text), [cut]).answer, { status: 200, body: "{}" });
});

test("headers of one name are joined, and no name is taken for a property of objects", (t) => {
  const { answer } = read(Buffer.from(head("A: 1", "a: 2", "__proto__: x", "content-length: 0")));

  t.is(answer?.headers["a"], "1, 2");
  t.is(answer?.headers["__proto__"], "x");
  t.is(answer?.headers["constructor"], undefined);
});

test("an answer that is cut off is none", (t) => {
  const whole = [head("content-length: 5") + "12345", head("transfer-encoding: chunked") + "5\r\n12345\r\n0\r\n\r\n"];
  for (const text of whole) {
    for (let length = 0; length < text.length; length++) {
      t.is(read(Buffer.from(text.slice(0, length))).answer, undefined, JSON.stringify(text.slice(0, length)));
    }
  }
});

const malformed = {
  "no HTTP": "SSH-2.0-OpenSSH_9.6\r\n\r\n",
  "another version": "HTTP/2 200 OK\r\n\r\n",
  "no status": "HTTP/1.1 OK\r\n\r\n",
  "a change of protocol": "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
  "a header without a name": head(": x"),
  "a header with a space before its colon": head("content-length : 2"),
  "a header that is folded": head("x: a", " content-length: 2"),
  "two lengths": head("content-length: 2", "content-length: 3"),
  "a length that is none": head("content-length: -1"),
  "a length and chunks": head("content-length: 2", "transfer-encoding: chunked"),
  "a coding that nobody asked for": head("transfer-encoding: gzip, chunked"),
  "a chunk without a size": `${head("transfer-encoding: chunked")}x\r\n`,
  "a chunk of an endless size": `${head("transfer-encoding: chunked")}fffffffff\r\n`,
  "a chunk that goes on": `${head("transfer-encoding: chunked")}2\r\nabc\r\n0\r\n\r\n`,
  "a head without end": `HTTP/1.1 200 OK\r\nx: ${"a".repeat(70_000)}`,
  "a long head": head(`x: ${"a".repeat(70_000)}`),
  "a trailer without end": `${head("transfer-encoding: chunked")}0\r\nx: ${"a".repeat(9_000)}`,
};

for (const [what, text] of Object.entries(malformed)) {
  test(`not to be understood: ${what}`, (t) => {
    t.throws(() => read(Buffer.from(text)), { instanceOf: MalformedResponseError });
  });
}

test("an answer longer than is taken is given up, whatever says where it ends", (t) => {
  for (const text of [
    head("content-length: 11") + "12345678901",
    head("transfer-encoding: chunked") + "b\r\n12345678901\r\n0\r\n\r\n",
    head() + "12345678901",
  ]) {
    t.throws(() => read(Buffer.from(text), [], 10), { message: /more than 10 bytes/ });
    t.is(read(Buffer.from(text), [], 11).answer?.body, "12345678901");
  }
});
