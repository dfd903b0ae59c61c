// A widget's model without a kernel: state that stays on the page, and answers that were recorded.

/** What `to_html` writes into the page; bytes are gzip in base64. */
export interface SavedPage {
  title: string;
  state: Record<string, unknown>;
  buffers: { path: (string | number)[]; data: string }[];
  replies: SavedReply[];
  esm: string;
  css: string;
}

export interface SavedReply {
  name: string;
  args: Record<string, unknown>;
  value: unknown;
  tensors: string[];
}

type Handler = (...args: unknown[]) => void;

const NOT_SAVED = "This page was saved without this part; open the notebook to see it.";

/** Unpacks base64 of gzip. */
export async function decode(data: string): Promise<DataView> {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new DataView(await new Response(stream).arrayBuffer());
}

/** The saved state, with its binary parts back in their places. */
export async function restore({ state, buffers }: SavedPage): Promise<Record<string, unknown>> {
  const views = await Promise.all(buffers.map(({ data }) => decode(data)));
  for (const [i, { path }] of buffers.entries()) {
    const key = path.at(-1) as string;
    // biome-ignore lint/suspicious/noExplicitAny: JSON of any form
    const parent: any = path.slice(0, -1).reduce((at: any, step) => at[step], state);
    parent[key] = views[i];
  }
  return state;
}

/** The same for equal requests: the order of the arguments and the picture's key do not matter. */
export function signature(name: string, { key: _, ...args }: Record<string, unknown>): string {
  return JSON.stringify([name, Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

export class ReplayModel {
  readonly widget_manager = { replay: true };
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #replies: Map<string, SavedReply>;

  constructor(
    readonly state: Record<string, unknown>,
    replies: SavedReply[],
  ) {
    this.#replies = new Map(replies.map((reply) => [signature(reply.name, reply.args), reply]));
  }

  get(name: string): unknown {
    return this.state[name];
  }

  set(name: string, value: unknown): void {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.#fire(`change:${name}`);
  }

  save_changes(): void {}

  on(event: string, handler: Handler): void {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(handler));
  }

  off(event: string, handler: Handler): void {
    this.#handlers.get(event)?.delete(handler);
  }

  send(content: { kind: string; id: string; name: string; args: Record<string, unknown> }): void {
    if (content.kind === "request")
      void this.#answer(content.id, signature(content.name, content.args));
  }

  /** Unpacks a recorded answer only now: a page may hold hundreds of megabytes of them. */
  async #answer(id: string, asked: string): Promise<void> {
    const saved = this.#replies.get(asked);
    try {
      const tensors = await Promise.all((saved?.tensors ?? []).map(decode));
      this.#reply(
        id,
        saved ? { ok: true, value: saved.value } : { ok: false, error: NOT_SAVED },
        tensors,
      );
    } catch {
      this.#reply(id, { ok: false, error: "This part of the page is damaged; save it again." }, []);
    }
  }

  #reply(id: string, outcome: object, tensors: DataView[]): void {
    this.#fire("msg:custom", { kind: "reply", id, ...outcome }, tensors);
  }

  #fire(event: string, ...args: unknown[]): void {
    for (const handler of [...(this.#handlers.get(event) ?? [])]) handler(...args);
  }
}
