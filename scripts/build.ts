/** One ESM file with everything in it: starts four times faster than the sources, and is all that the image holds. */
import { cp, rm } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { build, type Plugin } from "esbuild";
import { loadAssets } from "../src/simulator/page/assets.ts";

/**
 * What KubeConfig imports and never uses here: the generated API classes and undici, together some 30 MB of memory. It
 * reads kubeconfigs and makes credentials; calls are made by src/kubernetes.
 */
const STUBS: readonly [filter: RegExp, exports: string][] = [
  [/\/gen\/index\.js$/, "export const createConfiguration = undefined, ServerConfiguration = undefined;"],
  [/^undici$/, "export const Agent = undefined, ProxyAgent = undefined;"],
];

const leaveOut: Plugin = {
  name: "leave out",
  setup(plugin) {
    STUBS.forEach(([filter, contents], index) => {
      const namespace = `stub-${String(index)}`;
      plugin.onResolve({ filter }, ({ path, importer }) =>
        importer.includes("@kubernetes/client-node") ? { path, namespace, sideEffects: false } : undefined,
      );
      plugin.onLoad({ filter: /.*/, namespace }, () => ({ contents }));
    });
  },
};

/**
 * An `import` of one of Node's modules reads every export of it, and some of these load what nobody asked for: that of
 * `node:http` brings fetch, HTTP/2, zlib and web streams, some 8 MB. Taken as a whole, a module stays lazy.
 */
const lazyBuiltins: Plugin = {
  name: "lazy builtins",
  setup(plugin) {
    plugin.onResolve({ filter: /^(node:)?[a-z_/]+$/ }, ({ path, kind }) =>
      kind === "import-statement" && isBuiltin(path) ? { path, namespace: "builtin", sideEffects: false } : undefined,
    );
    plugin.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule("${path}");`,
    }));
  },
};

/** The simulator's page, ready for a browser, in place of what makes it ready. */
const pageAssets: Plugin = {
  name: "page assets",
  setup(plugin) {
    plugin.onLoad({ filter: /\/simulator\/page\/assets\.ts$/ }, async () => ({
      contents: `export const loadAssets = () => Promise.resolve(${JSON.stringify(await loadAssets())});`,
    }));
  },
};

await rm("dist", { recursive: true, force: true });
await build({
  // The supervisor of a control plane is a program of its own: it outlives the one that started it.
  entryPoints: { main: "src/main.ts", "supervisor-process": "src/control-plane/supervisor-process.ts" },
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node22",
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  legalComments: "none",
  logLevel: "warning",
  plugins: [leaveOut, lazyBuiltins, pageAssets],
  // Some packages are CommonJS and ask for Node's own modules by require.
  banner: {
    js: 'import{createRequire as __c}from"node:module";const require=__c(import.meta.url);',
  },
});
await cp("src/control-plane/go", "dist/go", { recursive: true });
