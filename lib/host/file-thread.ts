/** A file thread: started by file-threads.ts. It imports little, because it starts with every daemon. */
import { watch as fsWatch } from 'node:fs';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { fileThreads } from '../config.js';
import type { FileNews, FileTask, WatchSource } from './file-messages.js';
import { FileProgress } from './file-progress.js';
import { FileServer } from './file-server.js';
import type { Watch } from './watch-set.js';

/** What a thread is started with. */
export interface FileThreadData {
  readonly progress: SharedArrayBuffer;
  readonly watch: WatchSource;
}

if (parentPort === null) throw new Error('this module must be started as a worker thread');
const port = parentPort;
const data = workerData as FileThreadData;
const progress = new FileProgress(data.progress);

/** Another thread has taken over: what this one would do next has already been done. */
const endIfRetired = () => {
  if (progress.isRetired) process.exit();
};

/**
 * What tasks that came together have led to: a message costs more than a task does. When there is much, it is not kept to
 * their end, so that the main thread takes it in while this one goes on.
 */
let unsaid: FileNews[] | undefined;

// Not awaited at the top level: it is bundled as CommonJS, which loads in half the time.
void watchFrom(data.watch).then((watch) => {
  const say = (news: readonly FileNews[]) => {
    progress.say(news);
    port.postMessage(news);
  };
  const server = new FileServer({
    watch,
    tell: (news) => {
      if (unsaid === undefined) say([news]);
      else if (unsaid.push(news) === fileThreads.newsPerMessage) say(unsaid.splice(0));
    },
    // What tasks lead to is not sent yet, and so cannot have been heard.
    mayReadAhead: () => unsaid === undefined && progress.isHeard,
    onBegin: (zonename) => {
      endIfRetired();
      progress.begin(zonename);
    },
    onEnd: () => {
      progress.end();
      endIfRetired();
    },
  });
  port.on('message', (tasks: string) => {
    unsaid = [];
    for (const task of JSON.parse(tasks) as readonly FileTask[]) server.do(task);
    if (unsaid.length > 0) say(unsaid);
    unsaid = undefined;
  });
});

async function watchFrom(source: WatchSource): Promise<Watch> {
  if (source.type === 'native') return (path, listener) => fsWatch(path, { persistent: false }, listener);
  const module = (await import(source.url)) as { createWatch: (data: unknown) => Watch };
  return module.createWatch(source.data);
}
