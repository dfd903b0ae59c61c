// Builds every front-end: src/widgets/<name>/index.tsx → static/<name>.js and static/<name>.css,
// and src/host/index.ts → static/host.js (the page that to_html writes).
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const widgets = join(here, "src", "widgets");
const outdir = join(here, "..", "cnnwidgets", "static");

const entryPoints = {};
for (const name of readdirSync(widgets)) {
  const index = join(widgets, name, "index.tsx");
  if (!existsSync(index)) continue;
  entryPoints[name] = index;
}
const host = join(here, "src", "host", "index.ts");
if (existsSync(host)) entryPoints.host = host;

const options = {
  entryPoints,
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "info",
};

if (process.argv.includes("--watch")) {
  await (await esbuild.context(options)).watch();
} else {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  await esbuild.build(options);
}
