/**
 * Which domains tenant objects may name. Whoever may write one must not be able to send the operator, with its
 * credentials, anywhere he likes: so the installer lists the domains, and the default is none.
 */
import { parseTenantAddress, type TenantAddress } from "./tenant-address.ts";

interface Entry {
  readonly scheme: "https" | "http";
  /** `*` at the beginning stands for one or more labels, never for none. */
  readonly host: string;
  /** Empty: the scheme's own; `*`: any. */
  readonly port: string;
}

const ENTRY = /^(?:(https?):\/\/)?([^/:\s]+|\[[0-9a-f:]+\])(?::(\d{1,5}|\*))?$/i;

export class AllowedDomains {
  readonly #entries: readonly Entry[];

  /** @throws Error that says which entry is wrong */
  constructor(texts: readonly string[]) {
    this.#entries = texts.map((text) => {
      const [whole, scheme = "https", host = "", port = ""] = ENTRY.exec(text) ?? [];
      if (whole === undefined || host.lastIndexOf("*") > 0 || (host.startsWith("*") && !/^\*\.[^.]/.test(host))) {
        throw new Error(`"${text}" is no domain: write it like acme.eu.auth0.com or *.eu.auth0.com`);
      }
      return { scheme: scheme.toLowerCase() === "http" ? "http" : "https", host: host.toLowerCase(), port };
    });
  }

  /** The address behind a domain; the scheme is what the entry that allows it says. */
  find(domain: string): TenantAddress | undefined {
    for (const { scheme, host, port } of this.#entries) {
      const address = parsed(`${scheme}://${domain}`);
      if (address === undefined) continue;
      const url = new URL(address.origin);
      if (isHostLike(url.hostname, host) && (port === "*" || url.port === defaulted(port, scheme))) return address;
    }
    return undefined;
  }
}

function parsed(text: string): TenantAddress | undefined {
  try {
    return parseTenantAddress(text);
  } catch {
    return undefined;
  }
}

/** A URL leaves the scheme's own port out. */
function defaulted(port: string, scheme: Entry["scheme"]): string {
  return port === (scheme === "https" ? "443" : "80") ? "" : port;
}

function isHostLike(host: string, pattern: string): boolean {
  if (!pattern.startsWith("*.")) return host === pattern;
  return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
}
