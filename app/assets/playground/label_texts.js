// Rankings and thumbs as a person types them: "3 1 2; 2 4" and "1+ 3-", replies counted from 1.

/** What prompt ``p`` has at a segment, as text. */
export const labelTexts = (segment, p) => ({
  rankings: segment.rankings
    .filter(([prompt]) => prompt === p)
    .map(([, order]) => order.map((reply) => reply + 1).join(" "))
    .join("; "),
  thumbs: segment.thumbs
    .filter(([prompt]) => prompt === p)
    .map(([, reply, up]) => `${reply + 1}${up ? "+" : "-"}`)
    .join(" "),
});

const words = (text) => text.split(/[\s,>]+/).filter(Boolean);
const reply = (text) => (/^\d+$/.test(text) ? Number(text) - 1 : text); // what is no number is refused by name

/** The rankings and thumbs of all prompts, as a scenario file has them. */
export function labelsOf(prompts) {
  const each = (key, split, make) =>
    prompts.flatMap((prompt, p) =>
      (prompt[key] ?? "")
        .split(split)
        .map((text) => text.trim())
        .filter(Boolean)
        .map((text) => ({ prompt: p, ...make(text) })),
    );
  return {
    rankings: each("rankings", ";", (text) => ({ order: words(text).map(reply) })),
    thumbs: each("thumbs", /[\s,]+/, (text) => ({
      reply: reply(text.replace(/[+−-]$/, "")),
      up: text.endsWith("+") ? true : /[−-]$/.test(text) ? false : text,
    })),
  };
}
