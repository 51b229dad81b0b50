// The server's bytes as a run: header facts plus one Float32Array per column (app/payload.py writes them).

function table(buffer, offset, columns, steps) {
  const rows = new Map();
  columns.forEach((name, i) => {
    rows.set(name, new Float32Array(buffer, offset + 4 * i * (steps + 1), steps + 1));
  });
  return rows;
}

export function decode(bytes) {
  const copy = bytes.slice(); // typed arrays need an aligned buffer of their own
  const length = new DataView(copy.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(copy.subarray(4, 4 + length)));
  const start = 4 + length;
  const run = { ...header, rows: table(copy.buffer, start, header.columns, header.steps) };
  run.reference = run.prompts.flatMap((prompt) => prompt.reference);
  run.starts = run.prompts.map((_, i) => run.prompts.slice(0, i).reduce((n, p) => n + p.replies.length, 0));
  let after = start + 4 * header.columns.length * (header.steps + 1);
  run.others = header.others.map((other) => {
    const rows = table(copy.buffer, after, other.columns, other.steps);
    after += 4 * other.columns.length * (other.steps + 1);
    return { ...other, rows };
  });
  run.at = (name, step) => run.rows.get(name)?.[step];
  run.segmentAt = (step) => run.segments.findLast((segment) => segment.start <= step);
  return run;
}
