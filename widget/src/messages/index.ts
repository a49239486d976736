/** The languages of the widget. English is complete; what another lacks is said in English. */

import { ar } from "./ar.ts";
import { de } from "./de.ts";
import { en, type MessageKey } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { pl } from "./pl.ts";

export type { MessageKey };
/** Texts by key. Keys with plurals end in a category of `Intl.PluralRules`, which differ between languages. */
export type Messages = Readonly<Record<string, string>>;

export const LANGUAGES: Readonly<Record<string, Messages>> = { en, de, pl, fr, es, ar };
