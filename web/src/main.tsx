import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { WithPreferences } from "./preferences.tsx";
import "./fonts.css";
import "./style.css";

createRoot(document.getElementById("page")!).render(
  <WithPreferences>
    <App />
  </WithPreferences>,
);
