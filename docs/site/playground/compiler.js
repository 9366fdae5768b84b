// The page's side of the compiler: one question at a time, and of each kind the newest alone.

const PATIENCE = 5000; // ms for an answer, after which the compiler is started anew

/**
 * A compiler that is being started. `told` is called with what becomes of it: "starting",
 * "ready", "restarted", "missing" or "failed", and in the last two cases why.
 *
 * `ask(name, arguments)` promises the answer; undefined where a newer question of that name
 * took its place, null where there is none, since it took too long or the compiler failed.
 */
export function makeCompiler(told) {
  const waiting = new Map(); // {request, settle} by name
  let worker, ready, asked, timer;
  let hasFailed = false; // on the last question

  function start(becomes) {
    told(becomes);
    ready = false;
    worker = startWorker();
    worker.addEventListener("message", ({ data }) => hear(data));
    worker.addEventListener("error", ({ message }) => told("missing", message));
  }

  function hear({ ready: isReady, answer, failed }) {
    if (isReady) {
      ready = true;
      told("ready");
      next();
    } else if (!ready) {
      told("missing", failed);
    } else {
      clearTimeout(timer);
      if (failed || hasFailed) told(failed ? "failed" : "ready", failed);
      hasFailed = Boolean(failed);
      finish(answer ? JSON.parse(answer) : null);
    }
  }

  function finish(answer) {
    asked.settle(answer);
    asked = undefined;
    next();
  }

  function next() {
    const [name] = waiting.keys();
    if (!ready || asked || name === undefined) return;
    asked = waiting.get(name);
    waiting.delete(name);
    worker.postMessage({ request: asked.request });
    timer = setTimeout(() => {
      worker.terminate();
      start("restarted");
      finish(null);
    }, PATIENCE);
  }

  function ask(name, args) {
    waiting.get(name)?.settle();
    return new Promise((settle) => {
      waiting.set(name, { request: { ask: name, ...args }, settle });
      next();
    });
  }

  start("starting");
  return { ask };
}

/** The worker. One of a blob has the page's content security policy; one of a file has none. */
function startWorker() {
  const script = `import ${JSON.stringify(new URL("worker.js", import.meta.url))};`;
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return new Worker(address, { type: "module" });
}
