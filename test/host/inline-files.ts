/** What a file thread does, done in this thread: for tests that decide when its watches fire. */
import { Subject } from 'rxjs';
import type { FileTask, WatchStatus } from '../../lib/host/file-messages.js';
import { FileServer } from '../../lib/host/file-server.js';
import type { FileEvent, Files } from '../../lib/host/files.js';
import type { Watch } from '../../lib/host/watch-set.js';

/** Watches files; it reads none. */
export function inlineFiles(watch: Watch): Files & { readonly watches: WatchStatus } {
  const events = new Subject<FileEvent>();
  let watches: WatchStatus = { watching: [], notWatching: [] };
  const server = new FileServer({
    watch,
    onBegin: () => undefined,
    onEnd: () => undefined,
    mayReadAhead: () => false,
    tell: (news) => {
      switch (news.type) {
        case 'answers':
        case 'compared':
          throw new Error('nothing was to be read');
        case 'watches':
          watches = { watching: news.watching, notWatching: news.notWatching };
          break;
        case 'trouble':
          events.next({
            type: 'trouble',
            error: news.problem === undefined ? undefined : new Error(news.problem),
          });
          break;
        default:
          events.next(news);
      }
    },
  });
  const act = (task: FileTask) => {
    server.do(task);
  };
  return {
    events,
    get watches() {
      act({ type: 'list-watches', id: 1 });
      return watches;
    },
    parseAhead: () => undefined,
    areUnchanged: () => Promise.resolve(false),
    read: () => Promise.reject(new Error('nothing is to be read')),
    watch: (zonename, paths) => {
      act({ type: 'watch', zonename, paths: paths() });
    },
    unwatch: (zonename) => {
      act({ type: 'unwatch', zonename });
    },
    rearm: (zonename) => {
      act({ type: 'rearm', zonename });
    },
    mend: () => {
      act({ type: 'mend' });
    },
    status: () => ({ threads: 0, stuck: 0, hung: [], stalled: false }),
    watchStatus: () => Promise.resolve(watches),
    end: () => {
      server.close();
      return Promise.resolve();
    },
  };
}
