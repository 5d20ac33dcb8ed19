/** The lines of an answer that is streamed, each a JSON value. */

export async function* lines(answer: Response): AsyncGenerator<unknown> {
  if (answer.body === null) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    rest += value;
    const whole = rest.split("\n");
    rest = whole.pop() ?? "";
    for (const line of whole) if (line.trim() !== "") yield JSON.parse(line) as unknown;
  }
  if (rest.trim() !== "") yield JSON.parse(rest) as unknown;
}
