/** A browser with a person in it, as BROWSER names one: consents at the address it is given, and follows where it is sent. */
import { consentAt } from './person.ts';

const back = await consentAt(process.argv[2] ?? '');
if (back) await fetch(back);
