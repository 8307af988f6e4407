import { lazy, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { WithPreferences } from "./preferences.tsx";
import "./fonts.css";
import "./style.css";

const Compare = lazy(() => import("./compare/Compare.tsx"));

createRoot(document.getElementById("page")!).render(
  <WithPreferences>
    {location.pathname === "/compare" ? (
      <Suspense>
        <Compare />
      </Suspense>
    ) : (
      <App />
    )}
  </WithPreferences>,
);
