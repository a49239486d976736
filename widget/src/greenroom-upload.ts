/** The module that pages load: defines the element, once however often it is loaded. */

import { GreenroomUpload } from "./element.ts";

const NAME = "greenroom-upload";
if (!customElements.get(NAME)) customElements.define(NAME, GreenroomUpload);

export { GreenroomUpload };
