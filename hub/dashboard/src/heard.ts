/** What of an answer was heard, and what was only generated. Pure. */

/** `[heard, rest]`: their joint text is the answer, unless other words were heard than it has. */
export function heardOf(response: string, heard: string): [string, string] {
  if (heard === "") return ["", response];
  const end = matchEnd(response, heard);
  return end < 0 ? [heard, ""] : [response.slice(0, end), response.slice(end)];
}

/** Where in `response` the words of `heard` end; -1 if they do not begin it. White space does not
 * count: the answer has line breaks that nobody hears. */
function matchEnd(response: string, heard: string): number {
  let at = 0;
  for (const letter of heard) {
    if (/\s/.test(letter)) continue;
    while (at < response.length && /\s/.test(response.charAt(at))) at += 1;
    if (!response.startsWith(letter, at)) return -1;
    at += letter.length;
  }
  return at;
}
