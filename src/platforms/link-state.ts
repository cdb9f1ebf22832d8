/** The words for what a platform's link is doing, apart from the port: the page reads them, too. */

/** `parked`: it gave up until a person acts, with a reason. */
export type LinkState = 'connecting' | 'connected' | 'backing-off' | 'parked';
