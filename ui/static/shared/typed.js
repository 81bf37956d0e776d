// Class names as they are typed, the same rule as clipcore/classify/typed.py: a name with a comma, semicolon, = or | in it
// stands in double quotes.
const NAME = /\s*"((?:[^"]|"")*)"[^\S\n]*(?=[,;\n=]|$)|[^,;\n=]*/y;
const OTHER = /\s*"((?:[^"]|"")*)"[^\S\n]*(?=[,;\n|]|$)|[^,;\n|]*/y;

export const quoted = (name) => (/[,;=|\n]|^\s*"/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

export const typed = (labels, synonyms = {}) =>
  labels.map((label) => (synonyms[label]?.length ? `${quoted(label)} = ${synonyms[label].map(quoted).join(" | ")}` : quoted(label))).join(", ");

// The names in a text, without their other names: each as it is meant, and where it stands.
export function names(text) {
  const found = [];
  for (let at = 0; at < text.length; at++) {
    const start = at;
    let first = null;
    for (let kind = NAME; ; kind = OTHER) {
      kind.lastIndex = at;
      const [all, inner] = kind.exec(text);
      first ??= { name: (inner === undefined ? all : inner.replaceAll('""', '"')).trim().replace(/\s+/g, " "), start, end: at + all.length };
      at += all.length;
      if (text[at] !== "=" && text[at] !== "|") break;
      at++;
    }
    if (text.slice(start, at).trim()) found.push(first);
  }
  return found;
}
