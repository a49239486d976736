/** What tus-js-client takes of `js-base64`: base64 of a text's UTF-8 (RFC 4648, 4). */
export const Base64 = {
  encode: (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text))),
};
