// Uppy with its Tus plugin, which keeps the addresses of uploads: the same file added again is gone on with.
import Uppy from "@uppy/core";
import Tus from "@uppy/tus";

import { onlyOnCreation, retryDelays } from "./common.js";

let uppy;

window.begin = async (job) => {
  window.ending = null;
  const [file] = document.querySelector("input").files;
  uppy = new Uppy({ meta: { meeting: job.meeting } }).use(Tus, {
    endpoint: job.endpoint,
    chunkSize: job.chunk ?? Number.POSITIVE_INFINITY,
    uploadDataDuringCreation: job.with_creation,
    headers: { Authorization: `Bearer ${job.token}` },
    allowedMetaFields: ["name", "type", "meeting"],
    onBeforeRequest: onlyOnCreation(job),
    retryDelays: retryDelays(job),
  });
  uppy.on("upload-success", (_, answer) => {
    window.ending = { ok: true, url: answer.uploadURL };
  });
  uppy.on("upload-error", (_, __, answer) => {
    window.ending = { ok: false, url: null, status: answer?.status ?? 0, body: answer?.body?.xhr.responseText ?? "" };
  });
  uppy.addFile({ name: file.name, type: file.type, data: file });
  uppy.upload().catch(() => {});
};

window.giveUp = () => {
  for (const { id } of uppy.getFiles()) uppy.removeFile(id);
};
