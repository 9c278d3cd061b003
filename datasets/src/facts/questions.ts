import type { Random } from "../types.ts";
import { between, oneOf, sentence, shuffled, someOf } from "./choose.ts";

const PEOPLE = "Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Lena Max Nora Oscar Paula Tom".split(" ");
const PLACES = "attic bathroom bedroom cellar garage garden hall kitchen library office park shop".split(" ");
const THINGS = "bag ball book box clock coin cup hat key lamp pen scarf".split(" ");
const COLOURS = "black blue brown green grey red white yellow".split(" ");

/** Of a person: where they are, where they were before, and what they have. */
interface Facts {
  person: string;
  place: string;
  before?: string;
  thing: string;
  colour: string;
}

/**
 * A question about a few sentences, and its answer, as in bAbI (Weston et al. 2015, "Towards AI-complete question
 * answering", tasks 1 and 2): who is where, has what, of which colour. One of the people may have moved on: the last
 * place counts. One question in eight needs two facts, where a thing is: its owner is there.
 *
 * @returns the pair in T5's form (Raffel et al. 2020, appendix D.15): `question: … context: …`, and one word
 */
export function questionPair(random: Random): { source: string; target: string } {
  const people = factsOf(between(2, 3, random), random);
  const first = people.flatMap(({ person, place, before, thing, colour }) => [
    oneOf([`${person} is in the ${before ?? place}`, `${person} went to the ${before ?? place}`], random),
    oneOf([`${person} has a ${colour} ${thing}`, `the ${thing} of ${person} is ${colour}`], random),
  ]);
  const later = people.filter(({ before }) => before).map(({ person, place }) => `then ${person} went to the ${place}`);
  const told = [...shuffled(first, random), ...later].map(sentence).join(" ");
  const { question, answer } = asked(oneOf(people, random), random);
  return { source: `question: ${question}? context: ${told}`, target: answer };
}

function factsOf(count: number, random: Random): Facts[] {
  const [people, things] = [PEOPLE, THINGS].map((names) => someOf(names, count, random));
  // One place more than people: where somebody may go from.
  const [before, ...places] = someOf(PLACES, count + 1, random);
  const mover = random.integer(2 * count);
  return people.map((person, i) => ({
    person,
    place: places[i],
    thing: things[i],
    colour: oneOf(COLOURS, random),
    ...(i === mover && { before }),
  }));
}

function asked({ person, place, thing, colour }: Facts, random: Random): { question: string; answer: string } {
  const kinds = [
    { question: `where is ${person}`, answer: place },
    { question: `who has the ${thing}`, answer: person },
    { question: `what does ${person} have`, answer: thing },
    { question: `what colour is the ${thing}`, answer: colour },
  ];
  return random.integer(8) === 0 ? { question: `where is the ${thing}`, answer: place } : oneOf(kinds, random);
}
