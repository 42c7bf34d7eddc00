/** Which proxy stands before a server, by the variables that every program knows, read as Go's programs read them. */
import { BlockList, isIP } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

/** As agents of Node take it. */
export type ProxyEnv = Partial<Record<"HTTPS_PROXY" | "HTTP_PROXY", string>>;

/**
 * @returns `undefined`: the way is direct, which it always is to this machine itself
 * @throws an Error that names the variable whose proxy can't be used; not its value, which may hold a password
 */
export function findProxyEnv(origin: URL, env: Environment): ProxyEnv | undefined {
  const host = origin.hostname.replace(/^\[|\]$/g, "");
  if (/^(localhost|127\..*|::1)$/.test(host)) return undefined;
  const name = origin.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = env[name] ?? env[name.toLowerCase()];
  if (proxy === undefined || proxy === "") return undefined;
  const exceptions = (env["NO_PROXY"] ?? env["no_proxy"] ?? "").toLowerCase().split(",");
  const port = origin.port || (origin.protocol === "https:" ? "443" : "80");
  if (exceptions.some((one) => isMatch(one.trim(), host, port))) return undefined;
  return { [name]: proxyUrlIn(name, proxy) };
}

/** A host alone is one that speaks HTTP. */
function proxyUrlIn(name: string, text: string): string {
  const url = /^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) throw new Error(`${name} is no URL, such as http://proxy.example.com:3128`);
  const { protocol } = new URL(url);
  if (protocol === "http:" || protocol === "https:") return url;
  throw new Error(`${name}: only http and https proxies are supported, not ${protocol}//`);
}

/** A name stands for all under it, too; with a dot before it for those alone. Addresses may stand for a range (10.0.0.0/8). */
function isMatch(exception: string, host: string, port: string): boolean {
  if (exception === "*") return true;
  if (exception.includes("/")) return isInRange(exception, host);
  const [, name = "", onlyPort] =
    /^\[?(.*?)\]?(?::(\d+))?$/.exec(isIP(exception) === 6 ? `[${exception}]` : exception) ?? [];
  if (name === "" || (onlyPort !== undefined && onlyPort !== port)) return false;
  const suffix = name.replace(/^\*?\./, "");
  return (host === suffix && suffix === name) || (isIP(host) === 0 && host.endsWith(`.${suffix}`));
}

function isInRange(range: string, host: string): boolean {
  const [address = "", bits] = range.split("/");
  const [family, ofHost] = [isIP(address), isIP(host)];
  if (family === 0 || ofHost === 0 || !/^\d{1,3}$/.test(bits ?? "") || Number(bits) > (family === 6 ? 128 : 32))
    return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family === 6 ? "ipv6" : "ipv4");
  return list.check(host, ofHost === 6 ? "ipv6" : "ipv4");
}
