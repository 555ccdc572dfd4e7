// The CLI asks every 5 s how far a stack is, for the sake of AWS's rate limits. An endpoint of one's own has none:
// with MLOPS_CDK_POLL_MS set, such a pause takes that long. It has no option for it; the CLI is pinned exactly.
const pauseMs = Number(process.env.MLOPS_CDK_POLL_MS);
if (pauseMs > 0) {
  const original = globalThis.setTimeout;
  globalThis.setTimeout = Object.assign(
    (callback, delayMs, ...rest) => original(callback, delayMs === 5000 ? pauseMs : delayMs, ...rest),
    original,
  );
}
