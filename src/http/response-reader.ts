/**
 * Reads one answer of HTTP/1.1 from the bytes of a connection (RFC 9112). What is not quite right is refused and not
 * guessed at: over a kept connection a wrong guess would hand one answer to the next call.
 */

export interface HttpResponse {
  readonly status: number;
  /** By their names in lower case; the values of those with one name are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The far side does not keep to HTTP, or says more than is taken. */
export class MalformedResponseError extends Error {
  override readonly name = "MalformedResponseError";
}

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly isKept: boolean;
}

/** As a body is told to end: after so many bytes, after its last chunk, or with the connection. */
type Framing =
  { readonly kind: "length"; readonly bytes: number } | { readonly kind: "chunked" } | { readonly kind: "close" };

const MAX_HEAD_BYTES = 64 << 10;
/** Of a chunk's size with its extensions, or of a trailer. */
const MAX_LINE_BYTES = 8 << 10;
const NOTHING = Buffer.alloc(0);

export class ResponseReader {
  readonly #maxBodyBytes: number;
  /** What came of a head or a line that is not whole yet. */
  #begun: Buffer = NOTHING;
  #head: Head | undefined;
  #framing: Framing = { kind: "close" };
  readonly #parts: Buffer[] = [];
  #bodyBytes = 0;
  /** Of the chunk that is being read. */
  #missingBytes = 0;
  #line: "size" | "end of chunk" | "trailer" = "size";
  #hasSurplus = false;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Whether a part of the answer came. */
  get hasBegun(): boolean {
    return this.#head !== undefined || this.#begun.length > 0;
  }

  /** Whether the connection may carry another request after the whole answer. */
  get isKept(): boolean {
    return this.#head?.isKept === true && this.#framing.kind !== "close" && !this.#hasSurplus;
  }

  /**
   * @returns the answer once it is whole
   * @throws MalformedResponseError
   */
  take(chunk: Buffer): HttpResponse | undefined {
    let data = chunk;
    if (this.#head === undefined) {
      data = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
      this.#begun = NOTHING;
      const rest = this.#takeHead(data);
      if (rest === undefined) return undefined;
      data = rest;
    }
    return this.#takeBody(data) ? this.#whole() : undefined;
  }

  /** The connection ended. @returns the answer if that is how it ends */
  end(): HttpResponse | undefined {
    return this.#head !== undefined && this.#framing.kind === "close" ? this.#whole() : undefined;
  }

  /** @returns what follows the head, once it is whole; heads of interim answers are passed over */
  #takeHead(data: Buffer): Buffer | undefined {
    for (let rest = data; ;) {
      const end = rest.indexOf("\r\n\r\n");
      if (end > MAX_HEAD_BYTES || (end < 0 && rest.length > MAX_HEAD_BYTES)) throw malformed("its head is too long");
      if (end < 0) {
        this.#begun = rest;
        return undefined;
      }
      const head = parseHead(rest.toString("latin1", 0, end));
      rest = rest.subarray(end + 4);
      if (head.status >= 200) {
        this.#head = head;
        this.#framing = framingOf(head);
        return rest;
      }
      if (head.status === 101) throw malformed("it changes the protocol, which nobody asked for");
    }
  }

  #takeBody(data: Buffer): boolean {
    const framing = this.#framing;
    if (framing.kind === "chunked") return this.#takeChunks(data);
    if (framing.kind === "close") {
      this.#keep(data);
      return false;
    }
    const missing = framing.bytes - this.#bodyBytes;
    this.#keep(data.length > missing ? data.subarray(0, missing) : data);
    this.#hasSurplus = data.length > missing;
    return data.length >= missing;
  }

  #takeChunks(chunk: Buffer): boolean {
    let data = chunk;
    for (;;) {
      if (this.#missingBytes > 0) {
        const part = data.subarray(0, this.#missingBytes);
        this.#keep(part);
        this.#missingBytes -= part.length;
        data = data.subarray(part.length);
        if (this.#missingBytes > 0) return false;
        this.#line = "end of chunk";
      }
      if (this.#begun.length > 0) data = Buffer.concat([this.#begun, data]);
      const end = data.indexOf("\r\n");
      if (end > MAX_LINE_BYTES || (end < 0 && data.length > MAX_LINE_BYTES)) throw malformed("a line is too long");
      this.#begun = end < 0 ? data : NOTHING;
      if (end < 0) return false;
      const isLast = this.#takeLine(data.toString("latin1", 0, end));
      data = data.subarray(end + 2);
      if (isLast) {
        this.#hasSurplus = data.length > 0;
        return true;
      }
    }
  }

  /** @returns whether it is the last one */
  #takeLine(line: string): boolean {
    if (this.#line === "trailer") return line === "";
    if (this.#line === "end of chunk") {
      if (line !== "") throw malformed("a chunk is longer than it says");
      this.#line = "size";
      return false;
    }
    const [, digits] = /^([0-9a-f]{1,8})[\t ]*(?:;.*)?$/i.exec(line) ?? [];
    if (digits === undefined) throw malformed("a chunk does not say how long it is");
    this.#missingBytes = Number.parseInt(digits, 16);
    if (this.#missingBytes === 0) this.#line = "trailer";
    return false;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#bodyBytes += part.length;
    if (this.#bodyBytes > this.#maxBodyBytes)
      throw malformed(`more than ${String(this.#maxBodyBytes)} bytes of answer`);
  }

  #whole(): HttpResponse {
    const { status = 0, headers = {} } = this.#head ?? {};
    const [only = NOTHING] = this.#parts;
    const body = this.#parts.length > 1 ? Buffer.concat(this.#parts, this.#bodyBytes) : only;
    return { status, headers, body: body.toString() };
  }
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function parseHead(text: string): Head {
  const [first = "", ...lines] = text.split("\r\n");
  const [, minor, status] = STATUS_LINE.exec(first) ?? [];
  if (status === undefined) throw malformed("it does not begin like one of HTTP/1.1");
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 0 || !TOKEN.test(name)) throw malformed("a line of its head is no header");
    const value = line.slice(colon + 1).trim();
    const former = headers[name];
    headers[name] = former === undefined ? value : `${former}, ${value}`;
  }
  const isKept = minor === "1" && !/(?:^|,)\s*close\s*(?:,|$)/i.test(headers["connection"] ?? "");
  return { status: Number(status), headers, isKept };
}

function framingOf({ status, headers }: Head): Framing {
  const { "transfer-encoding": coding, "content-length": length } = headers;
  if (status === 204 || status === 304) return { kind: "length", bytes: 0 };
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked" || length !== undefined)
      throw malformed("it is unclear where its body ends");
    return { kind: "chunked" };
  }
  if (length === undefined) return { kind: "close" };
  if (!/^\d{1,15}$/.test(length)) throw malformed("its length is no number");
  return { kind: "length", bytes: Number(length) };
}

function malformed(what: string): MalformedResponseError {
  return new MalformedResponseError(`an answer that is not to be understood: ${what}`);
}
