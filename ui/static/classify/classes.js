// The class names of the text field as a list of {name, others}, and what is done to it. Each change gives the new list, what
// of the old names goes by which new one, and says what has happened.
import { names, plain, typed } from "../shared/typed.js";

export const read = (text) => names(plain(text)).map(({ name, others }) => ({ name, others }));
export const write = (list, before) => {
  const text = typed(list.map(({ name }) => name), synonyms(list));
  return /\n/.test(before.trim()) ? list.map((one) => typed([one.name], { [one.name]: one.others })).join("\n") : text;
};
export const synonyms = (list) => Object.fromEntries(list.filter(({ others }) => others.length).map(({ name, others }) => [name, others]));

const clean = (text) => text.trim().replace(/\s+/g, " ");
const same = (a, b) => a.toLowerCase() === b.toLowerCase();
const refused = (words) => ({ refused: words });

// Names that are typed or pasted, as a list of any program.
export function add(list, text) {
  const found = read(text);
  const fresh = [];
  for (const one of found) if (one.name && ![...list, ...fresh].some(({ name }) => same(name, one.name))) fresh.push(one);
  const known = found.length - fresh.length;
  if (!fresh.length) return refused(found.length === 1 ? `“${found[0].name}” is in the list already.` : "All of these are in the list already.");
  const words = fresh.length === 1 ? `“${fresh[0].name}” is added.` : `${fresh.length.toLocaleString("en")} classes are added.`;
  return { list: [...list, ...fresh], words: known ? `${words} ${known.toLocaleString("en")} ${known === 1 ? "was" : "were"} there already.` : words };
}

export function rename(list, at, typed) {
  const name = clean(typed);
  const old = list[at].name;
  if (!name) return refused("A class needs a name. To take it away, choose Remove in its menu.");
  if (list.some((one, i) => i !== at && same(one.name, name))) return refused(`There is a class “${name}” already. To make them one, choose Merge in the menu.`);
  const others = list[at].others.filter((other) => other !== name);
  return { list: list.with(at, { name, others }), renamed: { [old]: name }, words: `“${old}” is called “${name}” now.` };
}

export function callAlso(list, at, text) {
  const { name } = list[at];
  const others = [...new Set(text.split(/[|\n,;]/).map(clean))].filter((other) => other && other !== name);
  const words = others.length ? `“${name}” is looked for as ${others.join(", ")}, too.` : `“${name}” has no other names now.`;
  return { list: list.with(at, { name, others }), words };
}

// The class becomes another name of the one that it goes into.
export function merge(list, at, into) {
  const [gone, kept] = [list[at], list[into]];
  const others = [...new Set([...kept.others, gone.name, ...gone.others])].filter((other) => other !== kept.name);
  return { list: list.with(into, { name: kept.name, others }).toSpliced(at, 1), renamed: { [gone.name]: kept.name }, words: `“${gone.name}” is part of “${kept.name}” now.` };
}

export const remove = (list, at) => ({ list: list.toSpliced(at, 1), words: `“${list[at].name}” is removed; its labels stay in the library.` });

export function move(list, at, to) {
  if (to < 0 || to >= list.length || to === at) return null;
  return { list: list.toSpliced(at, 1).toSpliced(to, 0, list[at]), words: `“${list[at].name}” is number ${to + 1} of ${list.length} now.` };
}
