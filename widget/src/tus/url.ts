/** The platform's own URL in the place of `url-parse`, for tus-js-client. */
export default URL;
