/** A language's name in English, or what it is called by where it has none: "de" as "German". */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code; // not the form of a language's code
  }
}

/** The code for an element's `lang`, or "" for what is none. */
export const langOf = (code: string): string => (/^[a-z]{2,3}$/.test(code) ? code : "");

/** Sentences to begin with, of the kind that Multi30k's networks know: captions of pictures. */
export const examples: { readonly [language: string]: readonly string[] } = {
  de: [
    "Ein Hund läuft durch den Schnee.",
    "Zwei Kinder spielen am Strand.",
    "Eine Frau in einem roten Kleid tanzt auf der Straße.",
  ],
  en: [
    "A dog runs through the snow.",
    "Two children are playing on the beach.",
    "A man in a blue shirt is standing on a ladder.",
  ],
  fr: ["Un chien court dans la neige.", "Deux enfants jouent sur la plage."],
};
