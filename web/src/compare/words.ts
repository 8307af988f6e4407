/** The vote's texts; the Russian ones must have the shape of the English. */

import type { Language } from "../words.ts";

type Words = typeof english;

const english = {
  title: "Votes",
  lead: "Two versions of a photo, side by side: say which looks better.",
  none: "There is nothing to vote on just now. “darkroom votes new” puts folders of photos to the vote.",
  pairs: (n: number) => (n === 1 ? "1 pair" : `${n} pairs`),
  judged: (n: number, of: number) => (n === 0 ? "new" : n === of ? "done" : `${n} of ${of} done`),

  question: "Which looks better?",
  progress: (n: number, of: number) => `${n} of ${of}`,
  progressLabel: "Judged",
  versions: "The two versions",
  version: (letter: string, photo: string) => `Version ${letter} of ${photo}`,
  better: (letter: string) => `${letter} is better`,
  same: "No difference",
  back: "Go back to the last pair",
  backShort: "Back",
  closer: "Look closer",
  closerHint: "Look closer (Z): both versions at the same place",
  now: (n: number, of: number, photo: string) => `Pair ${n} of ${of}: ${photo}`,
  loading: "Loading…",

  thanks: "Thank you!",
  allDone: (n: number) =>
    n === 1 ? "You have judged the one pair there is." : `You have judged all ${n} pairs.`,
  mayClose: "Every answer is saved. You can close this page.",
  others: "Other votes",

  again: "Try again",
  errors: {
    not_found: "There is no open vote of this name. Check the address, or choose another vote.",
    jobs_unavailable: "The service cannot keep answers just now: its database is away. Try again in a minute.",
    over_capacity: "The service is busy. Try again in a minute.",
    unreachable: "There is no connection to the service, so your last answer may not be saved. Check yours and try again.",
    internal: "Something went wrong in the service. Try again; if it stays, tell its operator.",
  } as Record<string, string>,
};

const russian: Words = {
  title: "Голосования",
  lead: "Две версии одного снимка рядом: скажите, какая лучше.",
  none: "Сейчас голосовать не о чем. Команда «darkroom votes new» выставит папки со снимками на голосование.",
  pairs: (n) => {
    const form = new Intl.PluralRules("ru").select(n);
    return `${n} ${form === "one" ? "пара" : form === "few" ? "пары" : "пар"}`;
  },
  judged: (n, of) => (n === 0 ? "новое" : n === of ? "готово" : `готово ${n} из ${of}`),

  question: "Какая версия лучше?",
  progress: (n, of) => `${n} из ${of}`,
  progressLabel: "Оценено",
  versions: "Две версии",
  version: (letter, photo) => `Версия ${letter}, ${photo}`,
  better: (letter) => `Лучше ${letter}`,
  same: "Без разницы",
  back: "Вернуться к прошлой паре",
  backShort: "Назад",
  closer: "Ближе",
  closerHint: "Ближе (Z): обе версии в одном месте",
  now: (n, of, photo) => `Пара ${n} из ${of}: ${photo}`,
  loading: "Загружаем…",

  thanks: "Спасибо!",
  allDone: (n) => (n === 1 ? "Вы оценили единственную пару." : `Вы оценили все пары: ${n}.`),
  mayClose: "Все ответы сохранены, страницу можно закрыть.",
  others: "Другие голосования",

  again: "Ещё раз",
  errors: {
    not_found: "Открытого голосования с таким именем нет. Проверьте адрес или выберите другое.",
    jobs_unavailable: "Сервис сейчас не может сохранить ответ: нет связи с базой. Попробуйте через минуту.",
    over_capacity: "Сервис занят. Попробуйте через минуту.",
    unreachable: "Нет связи с сервисом, последний ответ мог не сохраниться. Проверьте соединение и попробуйте снова.",
    internal: "Что-то сломалось в сервисе. Попробуйте ещё раз; если повторится, скажите администратору.",
  },
};

export const COMPARE_WORDS: Record<Language, Words> = { en: english, ru: russian };
