/** Every method and path that is known to be called is served; `known-calls.ts` tells from where each is known. */
import test from "ava";
import { HOST, InProcessSimulator } from "../support/in-process-simulator.ts";
import { DOCUMENTED, RECORDED, SENT } from "../support/known-calls.ts";

const simulator = new InProcessSimulator();
const authorization = `Bearer ${simulator.token()}`;

for (const [source, rows] of Object.entries({ RECORDED, SENT, DOCUMENTED })) {
  test(`every call is served: ${source.toLowerCase()}`, (t) => {
    const calls = rows.flatMap(([path, methods]) => methods.split(" ").map((method) => ({ method, path })));

    const unserved = calls.filter(({ method, path }) => {
      const { status, body } = simulator.send({
        method,
        target: `/api/v2${path.replaceAll("{}", "some%7Cid")}`,
        headers: { host: HOST, authorization, "content-type": "application/json" },
        body: Buffer.from(method === "GET" ? "" : "{}"),
      });
      return status === 404 && (body as { message: string }).message === "Not Found";
    });

    t.deepEqual(
      unserved.map(({ method, path }) => `${method} ${path}`),
      [],
    );
    t.deepEqual(simulator.bugs, []);
  });
}
