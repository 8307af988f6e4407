import { defineConfig } from "vite";

// During development the page comes from Vite and everything else from a running gateway.
const gateway = process.env.DARKROOM_URL ?? "http://127.0.0.1:9000";
const routes = ["/enhance_image", "/diagnose", "/colorize", "/adjust", "/api", "/docs", "/readyz"];

export default defineConfig({
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // everything a file of its own: the page's policy allows no data URLs
    modulePreload: { polyfill: false },
  },
  server: { proxy: Object.fromEntries(routes.map((route) => [route, gateway])) },
});
