/** Which proxy the environment names for a server, as Go's programs read it (golang.org/x/net/http/httpproxy). */
import test from "ava";
import { findProxyEnv, type ProxyEnv } from "../../../src/http/proxy-env.ts";

const P = "http://proxy:3128";
const ROWS: readonly (readonly [origin: string, env: Record<string, string>, expected: ProxyEnv | undefined])[] = [
  ["https://acme.auth0.com", {}, undefined],
  ["https://acme.auth0.com", { HTTPS_PROXY: "" }, undefined],
  ["https://acme.auth0.com", { HTTPS_PROXY: P }, { HTTPS_PROXY: P }],
  ["https://acme.auth0.com", { https_proxy: P }, { HTTPS_PROXY: P }],
  ["https://acme.auth0.com", { HTTPS_PROXY: "proxy:3128" }, { HTTPS_PROXY: P }],
  ["https://acme.auth0.com", { HTTPS_PROXY: "https://jane:pw@proxy" }, { HTTPS_PROXY: "https://jane:pw@proxy" }],
  ["https://acme.auth0.com", { HTTP_PROXY: P }, undefined],
  ["http://simulator.svc:8080", { HTTP_PROXY: P }, { HTTP_PROXY: P }],
  ["http://simulator.svc:8080", { HTTPS_PROXY: P }, undefined],
  ["https://127.0.0.1:6443", { HTTPS_PROXY: P }, undefined],
  ["https://[::1]:6443", { HTTPS_PROXY: P }, undefined],
  ["https://localhost:6443", { HTTPS_PROXY: P }, undefined],
];
const EXCEPTED: readonly (readonly [origin: string, exceptions: string, isDirect: boolean])[] = [
  ["https://acme.auth0.com", "*", true],
  ["https://acme.auth0.com", "acme.auth0.com", true],
  ["https://acme.auth0.com", "auth0.com", true],
  ["https://acme.auth0.com", "example.com, .AUTH0.com", true],
  ["https://acme.auth0.com", "*.auth0.com", true],
  ["https://acme.auth0.com", "acme.auth0.com:443", true],
  ["https://acme.auth0.com", "acme.auth0.com:8443", false],
  ["https://acme.auth0.com:8443", "auth0.com:8443", true],
  ["https://auth0.com", ".auth0.com", false],
  ["https://notauth0.com", "auth0.com", false],
  ["https://acme.auth0.com", "", false],
  ["https://acme.auth0.com", ",,", false],
  ["https://10.96.0.1", "10.0.0.0/8", true],
  ["https://10.96.0.1", "192.168.0.0/16,10.96.0.1", true],
  ["https://11.96.0.1", "10.0.0.0/8", false],
  ["https://10.96.0.1", "10.0.0.0/33", false],
  ["https://10.96.0.1", "0.1", false],
  ["https://[fd00::1]", "fd00::/8", true],
  ["https://[fd00::1]:6443", "fd00::1", true],
  ["https://[fd00::1]:6443", "[fd00::1]:6443", true],
  ["https://[fd00::1]:6443", "10.0.0.0/8", false],
];

for (const [origin, env, expected] of ROWS) {
  test(`${origin} with ${JSON.stringify(env)}`, (t) => {
    t.deepEqual(findProxyEnv(new URL(origin), env), expected);
  });
}
for (const [origin, exceptions, isDirect] of EXCEPTED) {
  test(`${origin} is reached ${isDirect ? "directly" : "by proxy"} with NO_PROXY=${exceptions}`, (t) => {
    const env = { HTTPS_PROXY: P, NO_PROXY: exceptions };
    t.is(findProxyEnv(new URL(origin), env) === undefined, isDirect);
    t.is(findProxyEnv(new URL(origin), { https_proxy: P, no_proxy: exceptions }) === undefined, isDirect);
  });
}

for (const proxy of ["socks5://jane:s3cret@proxy", "http://jane:s3cret@a b"]) {
  test(`a proxy that can't be used is refused by the variable's name, without its password: ${proxy}`, (t) => {
    const error = t.throws(() => findProxyEnv(new URL("https://acme.auth0.com"), { HTTPS_PROXY: proxy }));
    t.regex(error.message, /^HTTPS_PROXY/);
    t.false(error.message.includes("s3cret"));
  });
}
