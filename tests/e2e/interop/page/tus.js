// tus-js-client as its documentation has it: what it stored of an earlier visit is gone on with.
import * as tus from "tus-js-client";

import { onlyOnCreation, retryDelays } from "./common.js";

let upload;

window.begin = async (job) => {
  window.ending = null;
  const [file] = document.querySelector("input").files;
  upload = new tus.Upload(file, {
    endpoint: job.endpoint,
    chunkSize: job.chunk ?? Number.POSITIVE_INFINITY,
    uploadDataDuringCreation: job.with_creation,
    headers: { Authorization: `Bearer ${job.token}` },
    metadata: { filename: file.name, filetype: file.type, meeting: job.meeting },
    onBeforeRequest: onlyOnCreation(job),
    retryDelays: retryDelays(job),
    onSuccess: () => {
      window.ending = { ok: true, url: upload.url };
    },
    onError: (error) => {
      const answer = error.originalResponse;
      window.ending = { ok: false, url: upload.url, status: answer?.getStatus() ?? 0, body: answer?.getBody() ?? "" };
    },
  });
  const [earlier] = await upload.findPreviousUploads();
  if (earlier) upload.resumeFromPreviousUpload(earlier);
  upload.start();
};

window.giveUp = () => upload.abort(true);
