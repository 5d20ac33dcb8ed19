import { defineConfig } from "vite";

// Relative addresses: the page works behind a proxy that puts a path before it. Nothing is inlined:
// the page's policy allows no script and no style that is not a file.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsDir: "dashboard",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  worker: { format: "es" },
});
