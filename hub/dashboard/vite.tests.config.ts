import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const tests = readdirSync("tests").filter((name) => name.endsWith(".test.ts"));

// The tests of pure modules, for `node --test`.
export default defineConfig({
  logLevel: "warn",
  build: {
    ssr: true,
    target: "node20",
    outDir: "build/tests",
    emptyOutDir: true,
    rollupOptions: {
      input: Object.fromEntries(tests.map((name) => [name.replace(/\.ts$/, ""), `tests/${name}`])),
    },
  },
});
