/** Everything in which an answer may differ from the recorded one, each with its reason. Nothing else may. */

export interface Exception {
  /** Method and path, `*` for one segment. */
  readonly route: string;
  /** Keys from the answer's root, `*` for any; items of lists have no step of their own. */
  readonly at: string;
  /**
   * `any-order`: the same items in whatever order. `pages`: items of one moment are parted among pages by their made-up ids,
   * so each page must be as long as the recorded one, and all pages of a walk together must hold the same items. `optional`:
   * may be there or not.
   */
  readonly allows: "any-order" | "pages" | "optional";
  readonly reason: string;
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    route: "GET /api/v2/organizations/*/members",
    at: "members",
    allows: "pages",
    reason: "members added with one call are in the order of their ids, which are made up; within a page in none",
  },
  {
    route: "GET /api/v2/roles/*/users",
    at: "users",
    allows: "pages",
    reason: "users assigned with one call are in the order of their ids, which are made up",
  },
  {
    route: "GET /api/v2/users/*/authentication-methods",
    at: "authenticators",
    allows: "any-order",
    reason: "what was made by one PUT is recorded in another order than it was sent in, by no key of the answer",
  },
  {
    route: "* /api/v2/connections*",
    at: "options.authentication_methods.email_otp",
    allows: "optional",
    reason: "two tenants differ in it within minutes of one day (22 April 2026): a feature on its way out to tenants",
  },
  {
    route: "* /api/v2/connections*",
    at: "options.authentication_methods.phone_otp",
    allows: "optional",
    reason: "as email_otp",
  },
];

/** The exception for a place in the answer to a call, if there is one. */
export function exceptionFor(route: string, at: string): Exception | undefined {
  return EXCEPTIONS.find((each) => pattern(each.route).test(route) && pattern(each.at).test(at));
}

function pattern(text: string): RegExp {
  const literals = text.split("*").map((literal) => literal.replaceAll(/[\\^$.|?+()[\]{}/]/g, "\\$&"));
  return new RegExp(`^${literals.join("[^ ]*")}$`);
}
