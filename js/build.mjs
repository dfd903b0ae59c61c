// Builds every front-end: src/widgets/<name>/index.tsx → static/<name>.js and <name>.css, and
// src/host/index.ts → static/host.js (the page that to_html writes), with the licences of what
// was bundled. Nothing is written unless all of it builds.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, "..", "cnnwidgets", "static");

function entryPoints() {
  const widgets = join(here, "src", "widgets");
  const found = readdirSync(widgets).map((name) => [name, join(widgets, name, "index.tsx")]);
  found.push(["host", join(here, "src", "host", "index.ts")]);
  return Object.fromEntries(found.filter(([, file]) => existsSync(file)));
}

/** The licence texts of every package that esbuild took a file from. */
function licences({ inputs }) {
  const roots = Object.keys(inputs)
    .map((file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0])
    .filter(Boolean);
  return [...new Set(roots)].sort().map((root) => {
    const { name, version, license } = JSON.parse(readFileSync(join(here, root, "package.json")));
    const file = readdirSync(join(here, root)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} ships no licence text`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(here, root, file), "utf8").trim()}\n`;
  });
}

/** What esbuild leaves: the names of custom properties, which nothing outside knows, and blanks. */
function squeeze({ path, text }) {
  const short = (name) => {
    if (!properties.includes(name)) properties.push(name);
    return `--_${properties.indexOf(name).toString(36)}`;
  };
  const named = text.replace(/--cnnw-[\w-]+/g, short);
  const blank = / ?(\/) ?|(:|,) (?=[\w#.(-])/g;
  return Buffer.from(path.endsWith(".css") ? named.replace(blank, "$1$2") : named);
}

/** Numbered over all bundles, so that those of a widget's script and style agree. */
const properties = [];

function write({ outputFiles, metafile }) {
  const files = new Map(outputFiles.map((file) => [basename(file.path), squeeze(file)]));
  files.set("THIRD-PARTY-LICENSES.txt", licences(metafile).join(`\n${"-".repeat(80)}\n\n`));
  mkdirSync(outdir, { recursive: true });
  for (const stale of readdirSync(outdir)) {
    if (!files.has(stale)) rmSync(join(outdir, stale), { recursive: true });
  }
  for (const [name, contents] of files) {
    writeFileSync(join(outdir, name), contents);
    console.log(`${name}  ${(contents.length / 1000).toFixed(1)} kB`);
  }
}

const onEnd = {
  name: "write",
  setup(build) {
    build.onEnd((result) => {
      if (result.errors.length === 0) write(result);
    });
  },
};

/** Names that are taken from src/shared/builtins.ts. */
const builtins = {
  "Number.NEGATIVE_INFINITY": "NUMBER_LOWEST",
  "Number.isFinite": "NUMBER_ISFINITE",
  ...Object.fromEntries(
    ["abs", "floor", "max", "min", "round"].map((name) => [
      `Math.${name}`,
      `MATH_${name.toUpperCase()}`,
    ]),
  ),
};

const options = {
  absWorkingDir: here,
  entryPoints: entryPoints(),
  outdir,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  define: {
    "Number.NaN": "NaN",
    "Number.POSITIVE_INFINITY": "Infinity",
    ...builtins,
    "window.__PREACT_SIGNALS_DEVTOOLS__": "false",
  },
  jsxFactory: "h",
  jsxFragment: "Fragment",
  inject: ["jsx.ts", "builtins.ts"].map((name) => join(here, "src", "shared", name)),
  tsconfigRaw: {}, // the automatic runtime is for tsc and vitest
  legalComments: "none",
  logLevel: "warning",
  plugins: [onEnd],
};

if (process.argv.includes("--watch")) {
  await (await esbuild.context(options)).watch();
} else {
  await esbuild.build(options);
}
