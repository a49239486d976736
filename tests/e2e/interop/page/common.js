// A lost answer to a creation is asked for again under the same key, so that one upload is made.
export const onlyOnCreation = (job) => (request) => {
  if (request.getMethod() === "POST") request.setHeader("Idempotency-Key", job.key);
};

// None where a test wants to see every error; else longer than a restart of the service takes.
export const retryDelays = (job) => (job.patient ? [0, 100, 300, ...Array(60).fill(500)] : []);
