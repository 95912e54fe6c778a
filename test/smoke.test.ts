import tap from 'tap';
import { defaultPort } from '../lib/config.js';
tap.equal(defaultPort, 9090);
