/** Where tenant objects may send the operator: nowhere, unless the installer says so. */
import test from "ava";
import { AllowedDomains } from "../../../src/auth0/allowed-domains.ts";

const CASES: readonly (readonly [allowed: readonly string[], domain: string, origin: string | undefined])[] = [
  [[], "acme.eu.auth0.com", undefined],
  [["acme.eu.auth0.com"], "acme.eu.auth0.com", "https://acme.eu.auth0.com"],
  [["ACME.eu.auth0.com"], "acme.eu.auth0.com", "https://acme.eu.auth0.com"],
  [["acme.eu.auth0.com"], "acme.eu.auth0.com:8443", undefined],
  [["acme.eu.auth0.com:443"], "acme.eu.auth0.com", "https://acme.eu.auth0.com"],
  [["acme.eu.auth0.com"], "acme.eu.auth0.com.evil.example", undefined],
  [["acme.eu.auth0.com"], "evil.example@acme.eu.auth0.com", undefined],
  [["acme.eu.auth0.com"], "evil.example/acme.eu.auth0.com", undefined],
  [["*.auth0.com"], "acme.eu.auth0.com", "https://acme.eu.auth0.com"],
  [["*.auth0.com"], "auth0.com", undefined],
  [["*.auth0.com"], "evilauth0.com", undefined],
  [["http://127.0.0.1:*"], "127.0.0.1:4400", "http://127.0.0.1:4400"],
  [["127.0.0.1:4400"], "127.0.0.1:4400", "https://127.0.0.1:4400"],
];

for (const [allowed, domain, origin] of CASES) {
  test(`--allowed-tenant-domains=${allowed.join(",")} and ${domain}: ${origin ?? "refused"}`, (t) => {
    t.is(new AllowedDomains(allowed).find(domain)?.origin, origin);
  });
}

for (const wrong of ["*", "ac*me.auth0.com", "ftp://acme.auth0.com", "acme.auth0.com/path", "*."]) {
  test(`"${wrong}" is no entry`, (t) => {
    t.throws(() => new AllowedDomains([wrong]), { message: /is no domain/ });
  });
}
