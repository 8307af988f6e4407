import { Chooser } from "./Chooser.tsx";
import { DownloadAll } from "./Download.tsx";
import { Icon, Logo } from "./icons.tsx";
import type { Photo } from "./photo.ts";
import { photos as album } from "./photos.ts";
import { usePreferences, useWords, type Theme } from "./preferences.tsx";
import type { Language } from "./words.ts";

const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const LANGUAGES: [Language, string][] = [
  ["en", "English"],
  ["ru", "Русский"],
];

export function TopBar({ photos }: { photos: Photo[] }) {
  const words = useWords();
  const { language, theme, setLanguage, setTheme } = usePreferences();
  const themed = `${words.theme.label}: ${words.theme[theme]}`;
  return (
    <header className="top">
      <span className="brand">
        <Logo />
        Darkroom
      </span>
      {photos.length > 0 && (
        <div className="top-actions">
          <Chooser className="button quiet" label={words.add}>
            <Icon name="plus" />
            <span className="wide">{words.add}</span>
          </Chooser>
          {photos.length > 1 && <DownloadAll photos={photos} />}
          {photos.length > 1 && (
            <button
              className="icon-button"
              aria-label={words.clear}
              title={words.clear}
              onClick={() => confirm(words.sureToClear(photos.length)) && album.clear()}
            >
              <Icon name="bin" />
            </button>
          )}
        </div>
      )}
      <div className="preferences">
        <div className="languages" role="group" aria-label={words.language}>
          {LANGUAGES.map(([code, name]) => (
            <button
              key={code}
              lang={code}
              aria-pressed={language === code}
              aria-label={`${code.toUpperCase()}, ${name}`}
              title={name}
              onClick={() => setLanguage(code)}
            >
              {code.toUpperCase()}
            </button>
          ))}
        </div>
        <button
          className="icon-button"
          aria-label={themed}
          title={themed}
          onClick={() => setTheme(NEXT[theme])}
        >
          <Icon name={theme} />
        </button>
        <a className="wide docs" href="/docs">
          {words.docs}
        </a>
      </div>
    </header>
  );
}
