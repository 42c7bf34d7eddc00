/** As much of DER (ITU-T X.690) as a certificate needs. */

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;

export function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(SEQUENCE, ...parts);
}

export function set(...parts: readonly Buffer[]): Buffer {
  return tagged(SET, ...parts);
}

/** @param bytes unsigned, the most significant first */
export function integer(bytes: Buffer): Buffer {
  return tagged(INTEGER, bytes.readUInt8(0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]));
}

export function boolean(value: boolean): Buffer {
  return tagged(BOOLEAN, Buffer.of(value ? 0xff : 0));
}

/** @param unusedBits at the end of the last byte */
export function bitString(bytes: Buffer, unusedBits = 0): Buffer {
  return tagged(BIT_STRING, Buffer.of(unusedBits), bytes);
}

export function octetString(bytes: Buffer): Buffer {
  return tagged(OCTET_STRING, bytes);
}

export function utf8String(text: string): Buffer {
  return tagged(UTF8_STRING, Buffer.from(text));
}

/** Years 1950 to 2049. */
export function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, "").slice(2, 14);
  return tagged(UTC_TIME, Buffer.from(`${digits}Z`));
}

/** @param dotted such as `1.2.840.10045.4.3.2` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split(".").map(Number);
  return tagged(OBJECT_IDENTIFIER, Buffer.from([40 * first + second, ...others.flatMap(base128)]));
}

/** A part with a number of its own, as `[0] EXPLICIT` or, over a primitive's bytes, `[2] IMPLICIT`. */
export function contextual(number: number, isConstructed: boolean, ...parts: readonly Buffer[]): Buffer {
  return tagged(0x80 | (isConstructed ? 0x20 : 0) | number, ...parts);
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}
