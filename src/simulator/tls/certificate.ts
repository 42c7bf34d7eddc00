/**
 * A certificate for the server and the authority that issued it, both made at start and valid for one year. Node's crypto
 * makes keys and signatures; what it lacks, the certificate around them (RFC 5280), is written here: a library would bring
 * thirty packages for these lines.
 */
import { generateKeyPairSync, hash, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import type { EpochMs } from "../../runtime/clock.ts";
import {
  bitString,
  boolean,
  contextual,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  utcTime,
  utf8String,
} from "./der.ts";

export interface ServerCertificate {
  /** The server's certificate and its key, PEM. */
  readonly cert: string;
  readonly key: string;
  /** What clients have to trust, PEM. Its key is forgotten: nothing else is ever issued. */
  readonly ca: string;
}

const DAY_MS = 86_400_000;
const LIFETIME_MS = 365 * DAY_MS;

const CA_NAME = "auth0-user-operator simulator";

/** @param hosts names and addresses that the server goes by, without ports */
export function makeCertificate(hosts: readonly string[], now: EpochMs): ServerCertificate {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issue = (subject: string, publicKey: KeyObject, extensions: readonly Buffer[]): string =>
    signedCertificate({ subject, publicKey, extensions, now, issuer: authority });
  return {
    ca: issue(CA_NAME, authority.publicKey, [
      extension(BASIC_CONSTRAINTS, sequence(boolean(true))),
      extension(KEY_USAGE, bitString(Buffer.of(0b0000_0110), 1)), // keyCertSign, cRLSign
    ]),
    cert: issue(hosts[0] ?? "localhost", server.publicKey, [
      extension(KEY_USAGE, bitString(Buffer.of(0b1000_0000), 7)), // digitalSignature
      extension(EXTENDED_KEY_USAGE, sequence(objectIdentifier(SERVER_AUTH))),
      extension(SUBJECT_ALT_NAME, sequence(...hosts.map(generalName))),
    ]),
    key: server.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** One to show, for a key of which only the public half is kept; by an authority that nobody trusts. */
export function makeShownCertificate(subject: string, publicKey: KeyObject, now: EpochMs): string {
  const issuer = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return signedCertificate({ subject, publicKey, extensions: [], now, issuer });
}

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
const AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SUBJECT_ALT_NAME = "2.5.29.17";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const COMMON_NAME = "2.5.4.3";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/** `[0]` around a version number, of which 2 means v3. */
const VERSION_3 = contextual(0, true, integer(Buffer.of(2)));

interface ToBeSigned {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly now: EpochMs;
  readonly issuer: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

function signedCertificate({ subject, publicKey, extensions, now, issuer }: ToBeSigned): string {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const content = sequence(
    VERSION_3,
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    name(CA_NAME),
    sequence(utcTime(now - DAY_MS), utcTime(now + LIFETIME_MS)),
    name(subject),
    publicKey.export({ type: "spki", format: "der" }),
    contextual(
      3,
      true,
      sequence(
        extension(SUBJECT_KEY_IDENTIFIER, octetString(keyIdentifier(publicKey))),
        extension(AUTHORITY_KEY_IDENTIFIER, sequence(contextual(0, false, keyIdentifier(issuer.publicKey)))),
        ...extensions,
      ),
    ),
  );
  const certificate = sequence(content, algorithm, bitString(sign("sha256", content, issuer.privateKey)));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** Any value will do that differs by key (RFC 7093). */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return hash("sha256", publicKey.export({ type: "spki", format: "der" }), "buffer").subarray(0, 20);
}

function name(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String(commonName))));
}

/** All are critical but names and usages of servers, as authorities do it. */
function extension(identifier: string, value: Buffer): Buffer {
  const isCritical = identifier === BASIC_CONSTRAINTS || identifier === KEY_USAGE;
  return sequence(objectIdentifier(identifier), ...(isCritical ? [boolean(true)] : []), octetString(value));
}

function generalName(host: string): Buffer {
  return isIP(host) === 0 ? contextual(2, false, Buffer.from(host)) : contextual(7, false, addressBytes(host));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groupsOf = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [before, after] = [groupsOf(head), groupsOf(tail ?? "")];
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => "0");
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join(""), "hex");
}
