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

function write({ outputFiles, metafile }) {
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
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
  jsxFactory: "h",
  jsxFragment: "Fragment",
  inject: [join(here, "src", "shared", "jsx.ts")],
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
