// Waiting for the kernel: what to show until an answer is there, and when there is none.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Banner } from "../../shared/banner";
import type { Reply } from "../../shared/model";
import { complaint } from "./resources";
import { useBrowser } from "./state";

export interface Answers<V> {
  /** The latest complete replies, in the order of the questions; perhaps of an earlier question. */
  replies: Reply<V>[] | undefined;
  /** Do the replies answer what is asked now? */
  current: boolean;
  error: string | undefined;
  /** 0 … 1 where the kernel told it. */
  progress: number | undefined;
  retry: () => void;
}

/** Asks for several things at once and waits for all; a changed question cancels the older one. */
export function useReplies<V>(
  name: string,
  questions: readonly object[],
  lane?: string,
): Answers<V> {
  const { resources } = useBrowser();
  const ids = questions.map((args) => resources.id(name, args));
  const id = ids.join();
  const [done, setDone] = useState<{ id: string; replies: Reply<V>[] }>();
  const [news, setNews] = useState<{ id: string; error?: string | undefined; progress?: number }>({
    id: "",
  });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (!ids.length) return;
    const running = new AbortController();
    const { signal } = running;
    const onProgress = (now: number, total: number) => setNews({ id, progress: now / total });
    const asked = questions.map((args, i) =>
      resources.fetch<V>(name, args, { signal, onProgress, ...(lane && { lane: `${lane} ${i}` }) }),
    );
    Promise.all(asked).then(
      (replies) => signal.aborted || setDone({ id, replies }),
      (error) => signal.aborted || setNews({ id, error: complaint(error) }),
    );
    return () => running.abort();
  }, [id, attempt]);
  const known = ids.map((one) => resources.peek<V>(one)).filter((reply) => reply !== undefined);
  const complete = ids.length > 0 && known.length === ids.length;
  const mine = news.id === id ? news : undefined;
  return {
    replies: complete ? known : done?.replies,
    current: complete || done?.id === id,
    error: complete ? undefined : mine?.error,
    progress: mine?.progress,
    retry: () => {
      setNews({ id });
      setAttempt(attempt + 1);
    },
  };
}

/** What stands where the answers will: a skeleton (late, by CSS, so that quick answers do not flash), or why there are none. */
export function Waiting({
  answers,
  children,
}: {
  answers: Answers<unknown>;
  children?: ComponentChildren;
}) {
  const { status } = useBrowser().bridge;
  const { error, progress, retry } = answers;
  if (status.value === "gone")
    return <Banner kind="info">This was not seen before the kernel stopped.</Banner>;
  const replay = status.value === "replay";
  if (error)
    return (
      <Banner
        kind={replay ? "info" : "error"}
        action={replay ? undefined : { label: "Try again", onClick: retry }}
      >
        {error}
      </Banner>
    );
  return (
    <div class="cnnw-lb-waiting" role="status" aria-label="Computing">
      {children}
      <progress {...(progress === undefined ? {} : { value: progress })} />
    </div>
  );
}
