import type { Random } from "../types.ts";
import { between, oneOf, sentence, shuffled, someOf } from "./choose.ts";

const CITIES =
  "Bergen Dublin Ghent Graz Krakow Leeds Lisbon Lyon Malmo Oslo Porto Riga Siena Turku Utrecht Vilnius".split(" ");
const NAMES =
  "Bauer Costa Dahl Evans Fischer Garcia Hansen Kovac Laine Meyer Novak Olsen Rossi Silva Weber Young".split(" ");
const DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");
const BUILDINGS = "bakery bank cinema factory hotel library museum school theatre warehouse".split(" ");
const NUMBERS = "two three four five six seven eight nine".split(" ");

/** A report's sentences without their full stops: what comes first, and what follows in any order; and its headline. */
interface Report {
  first: string;
  details: string[];
  headline: string;
}

/** What happens in the world of these reports: each of the facts of a headline is in the report, among others. */
const events: readonly ((random: Random) => Report)[] = [
  function fire(random) {
    const [city, day, building] = [oneOf(CITIES, random), oneOf(DAYS, random), oneOf(BUILDINGS, random)];
    const [hurt, engines] = someOf(NUMBERS, 2, random);
    return {
      first: oneOf(
        [`a fire broke out in a ${building} in ${city} on ${day}`, `on ${day} a ${building} in ${city} caught fire`],
        random,
      ),
      details: [
        oneOf([`${hurt} people were taken to hospital`, `doctors treated ${hurt} people`], random),
        `the fire brigade came with ${engines} engines`,
        "nobody knows yet how it began",
      ],
      headline: `${hurt} hurt in ${city} ${building} fire`,
    };
  },

  function match(random) {
    const [home, guest] = someOf(CITIES, 2, random);
    const [most, fewest] = [between(2, 5, random), between(0, 1, random)];
    const homeWins = random.integer(2) === 0;
    const score = homeWins ? `${most} to ${fewest}` : `${fewest} to ${most}`;
    const [winner, loser] = homeWins ? [home, guest] : [guest, home];
    return {
      first: `the match between ${home} and ${guest} ended ${score} on ${oneOf(DAYS, random)}`,
      details: [
        `${oneOf(NAMES, random)} scored the last goal`,
        `${oneOf(NUMBERS, random)} thousand people watched`,
        oneOf(["it rained from the first minute", "the sun shone all afternoon"], random),
      ],
      headline: `${winner} beat ${loser} ${most}-${fewest}`,
    };
  },

  function election(random) {
    const [city, [winner, other]] = [oneOf(CITIES, random), someOf(NAMES, 2, random)];
    const share = between(51, 79, random);
    return {
      first: `the people of ${city} chose a mayor on ${oneOf(DAYS, random)}`,
      details: [
        `${winner} got ${share} percent of the votes`,
        `${other} got ${100 - share} percent`,
        oneOf(["fewer people voted than last time", "more people voted than ever"], random),
      ],
      headline: `${winner} elected mayor of ${city}`,
    };
  },

  function opening(random) {
    const [city, building] = [oneOf(CITIES, random), oneOf(BUILDINGS, random)];
    return {
      first: `a new ${building} opened its doors in ${city} on ${oneOf(DAYS, random)}`,
      details: [
        `it cost ${oneOf(NUMBERS, random)} million`,
        `mayor ${oneOf(NAMES, random)} cut the ribbon`,
        oneOf(["a band played", "there was cake for everybody"], random),
      ],
      headline: `${city} opens new ${building}`,
    };
  },

  function theft(random) {
    const [city, building, count] = [oneOf(CITIES, random), oneOf(BUILDINGS, random), oneOf(NUMBERS, random)];
    const goods = oneOf(["bicycles", "cars", "paintings", "violins", "watches"], random);
    return {
      first: oneOf(
        [
          `thieves broke into a ${building} in ${city} on ${oneOf(DAYS, random)}`,
          `a ${building} in ${city} had visitors in the night to ${oneOf(DAYS, random)}`,
        ],
        random,
      ),
      details: [
        oneOf([`${count} ${goods} are missing`, `they left with ${count} ${goods}`], random),
        `inspector ${oneOf(NAMES, random)} asks for help`,
        "the alarm was silent",
      ],
      headline: `${count} ${goods} stolen from ${city} ${building}`,
    };
  },

  function storm(random) {
    const [city, [houses, trees]] = [oneOf(CITIES, random), someOf(NUMBERS, 2, random)];
    return {
      first: `a storm crossed ${city} on ${oneOf(DAYS, random)}`,
      details: [
        oneOf([`${houses} houses lost their roofs`, `it took the roofs of ${houses} houses`], random),
        `${trees} trees fell`,
        oneOf(["trains stood still for hours", "all schools stay closed"], random),
      ],
      headline: `storm damages ${houses} houses in ${city}`,
    };
  },
];

/**
 * A short report of an event, and its headline: the facts that count, among others that do not, in an order of their own.
 *
 * @returns the pair in T5's form (Raffel et al. 2020, appendix D.14): `summarize: …`, and the headline
 */
export function summaryPair(random: Random): { source: string; target: string } {
  const { first, details, headline } = oneOf(events, random)(random);
  const report = [first, ...shuffled(details, random)].map(sentence).join(" ");
  return { source: `summarize: ${report}`, target: headline };
}
