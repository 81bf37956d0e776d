// Which class is meant by what was typed: its whole name, the beginning of it or of a word in it, or letters that are in no
// other. Where several fit, or none, `words` say so.
export function meant(text, piles) {
  const typed = text.trim().toLowerCase();
  if (!typed) return { words: "Type the name of a class first." };
  const fits = [
    (name) => name === typed,
    (name) => name.startsWith(typed),
    (name) => name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(typed)),
    (name) => name.includes(typed),
  ];
  for (const fit of fits) {
    const found = piles.filter(({ name }) => fit(name.toLowerCase()));
    if (found.length === 1) return { pile: found[0] };
    if (found.length) return { words: `“${text.trim()}” could be ${either(found.map(({ name }) => name))}; type more of it.` };
  }
  const near = piles.filter(({ name }) => slips(name.toLowerCase(), typed) <= Math.max(1, typed.length / 4)).map(({ name }) => name);
  return { words: near.length ? `There is no class “${text.trim()}”. Did you mean ${either(near)}?` : `There is no class “${text.trim()}”.` };
}

function either(names) {
  const shown = [...names.slice(0, 3), ...(names.length > 3 ? ["another"] : [])];
  const last = shown.pop();
  return shown.length ? `${shown.join(", ")} or ${last}` : last;
}

// Letters to add, take away, change or swap with the next: the distance of Damerau and Levenshtein.
function slips(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(row[j - 1] + 1, rows[i - 1][j] + 1, rows[i - 1][j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
