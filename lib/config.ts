/**
 * Every limit, timeout and period of the daemon, with its unit and its reason. Constants only.
 */

/** Where the platform's vminfod listens, and so where its clients look. */
export const defaultPort = 9090;
export const defaultListen = '127.0.0.1';
