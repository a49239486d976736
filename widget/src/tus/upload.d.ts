declare module "tus-js-client/lib/upload.js" {
  import { Upload, type UploadOptions } from "tus-js-client";

  /** The protocol without a platform: the HTTP stack and the reader of files are arguments. */
  export default class BaseUpload extends Upload {
    static defaultOptions: UploadOptions;
  }
}
