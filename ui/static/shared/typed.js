// Class names as they are typed, the same rule as clipcore/classify/typed.py and pasted.py: a name with a comma, semicolon,
// = or | in it stands in double quotes, and lists of other programs are understood.
const NAME = /\s*"((?:[^"]|"")*)"[^\S\n]*(?=[,;\n，､、；،؛=]|$)|[^,;\n，､、；،؛=]*/y;
const OTHER = /\s*"((?:[^"]|"")*)"[^\S\n]*(?=[,;\n，､、；،؛|]|$)|[^,;\n，､、；،؛|]*/y;
const ITEM = /\s*(?:["']?\d+["']?\s*:\s*)?(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")\s*(?:,|$)/y;
const BULLET = /^[^\S\n]*(?:[-*+–—][^\S\n]+|[•‣◦▪●][^\S\n]*)/;
const NUMBER = /(?<!\S)(\d{1,5})[.):][^\S\n]+(?=\S)/g;
const BEGINS = /^(?:[[({']|[-*+–—][^\S\n]+|[•‣◦▪●]|\d{1,5}[.):][^\S\n]+\S)/;
const BRACKETS = { "[": "]", "(": ")", "{": "}" };

const inQuotes = (name) => `"${name.replaceAll('"', '""')}"`;

export const quoted = (name) => (/[,;=|\n，､、；،؛]|^\s*"/.test(name) || BEGINS.test(name) ? inQuotes(name) : name);

export const typed = (labels, synonyms = {}) =>
  labels.map((label) => (synonyms[label]?.length ? `${quoted(label)} = ${synonyms[label].map(quoted).join(" | ")}` : quoted(label))).join(", ");

// A list of Python, JSON, numbers, bullets or cells as the names that it holds; any other text as it is.
export function plain(text) {
  const bare = text.trim();
  if (bare.length > 1 && BRACKETS[bare[0]] === bare.at(-1)) {
    const inner = bare.slice(1, -1);
    return items(inner) ?? (bare[0] === "[" && !/[[\]{}"']/.test(inner) ? inner : text);
  }
  const listed = bare[0] === "'" ? items(bare) : null;
  if (listed !== null) return listed;
  const lines = text.split("\n").filter((line) => line.trim());
  if (lines.length && lines.every((line) => BULLET.test(line))) return lines.map((line) => line.replace(BULLET, "").replace(/[•‣◦▪●]/g, ",")).join("\n");
  return numbered(text) ?? (bare.includes("\t") && !/[",;\n=|，､、；،؛]/.test(bare) ? bare.replaceAll("\t", ",") : text);
}

function items(text) {
  const found = [];
  const all = text.trimEnd();
  for (let at = 0; at < all.length; at = ITEM.lastIndex) {
    ITEM.lastIndex = at;
    const item = ITEM.exec(all);
    if (!item) return null;
    const seen = (_, unit, letter) => (unit ? String.fromCharCode(parseInt(unit, 16)) : "nrt".includes(letter) ? " " : letter);
    found.push(inQuotes((item[1] ?? item[2]).replace(/\\u([0-9a-fA-F]{4})|\\(.)/g, seen)));
  }
  return found.length ? found.join(", ") : null;
}

function numbered(text) {
  const found = [...text.matchAll(NUMBER)];
  const counts = found.every((number, i) => Number(number[1]) === Number(found[0][1]) + i);
  if (found.length < 2 || !counts || Number(found[0][1]) > 1 || text.slice(0, found[0].index).trim()) return null;
  const end = (i) => found[i + 1]?.index ?? text.length;
  return found.map((number, i) => text.slice(number.index + number[0].length, end(i)).trim().replace(/[,;]+$/, "")).join("\n");
}

// The names in a `plain` text: each as it is meant, its other names, and where it stands without them.
export function names(text) {
  const found = [];
  for (let at = 0; at < text.length; at++) {
    const start = at;
    let first = null;
    for (let kind = NAME; ; kind = OTHER) {
      kind.lastIndex = at;
      const [all, inner] = kind.exec(text);
      const name = (inner === undefined ? all : inner.replaceAll('""', '"')).trim().replace(/\s+/g, " ");
      if (!first) first = { name, others: [], start, end: at + all.length };
      else if (name && name !== first.name && !first.others.includes(name)) first.others.push(name);
      at += all.length;
      if (text[at] !== "=" && text[at] !== "|") break;
      at++;
    }
    if (text.slice(start, at).trim()) found.push(first);
  }
  return found;
}
