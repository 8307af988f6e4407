/** Language and theme: chosen by the browser until a person chooses. */

import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import { read, write } from "./remembered.ts";
import { WORDS, type Language, type Words } from "./words.ts";

export type Theme = "auto" | "light" | "dark";

interface Preferences {
  language: Language;
  theme: Theme;
  setLanguage: (language: Language) => void;
  setTheme: (theme: Theme) => void;
}

const Context = createContext<Preferences | null>(null);

export function usePreferences(): Preferences {
  const preferences = useContext(Context);
  if (!preferences) throw new Error("there are no preferences around this component");
  return preferences;
}

export function useWords(): Words {
  return WORDS[usePreferences().language];
}

export function WithPreferences({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useStored<Language>("language", spoken(), ["en", "ru"]);
  const [theme, setTheme] = useStored<Theme>("theme", "auto", ["auto", "light", "dark"]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return <Context value={{ language, theme, setLanguage, setTheme }}>{children}</Context>;
}

function spoken(): Language {
  return navigator.language.startsWith("ru") ? "ru" : "en";
}

/** State that outlives the visit; where the browser forbids storage it lives as long as the page. */
function useStored<T extends string>(
  name: string,
  otherwise: T,
  allowed: readonly T[],
): [T, (value: T) => void] {
  const key = `darkroom.${name}`;
  const [value, setValue] = useState<T>(() => {
    const stored = read(key) as T;
    return allowed.includes(stored) ? stored : otherwise;
  });
  return [
    value,
    (chosen) => {
      setValue(chosen);
      write(key, chosen);
    },
  ];
}
