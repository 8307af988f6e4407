import { lazy, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { photos } from "./photos.ts";
import { WithPreferences } from "./preferences.tsx";
import "./fonts.css";
import "./style.css";

const Compare = lazy(() => import("./compare/Compare.tsx"));

const compares = location.pathname === "/compare";
if (!compares) {
  void photos.open();
  addEventListener("pagehide", () => photos.leave());
  addEventListener("pageshow", (event) => event.persisted && photos.comeBack());
}

createRoot(document.getElementById("page")!).render(
  <WithPreferences>
    {compares ? (
      <Suspense>
        <Compare />
      </Suspense>
    ) : (
      <App />
    )}
  </WithPreferences>,
);
