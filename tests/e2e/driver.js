// What the tests ask of JupyterLab and Notebook 7, through the application object that the
// servers expose (window.jupyterapp). Injected into every page before it loads.
globalThis.cnnwDriver = {
  panel() {
    const { shell } = globalThis.jupyterapp;
    const panels = [shell.currentWidget, ...shell.widgets("main")];
    return panels.find((panel) => panel?.sessionContext && panel.content?.widgets);
  },

  kernel() {
    return this.panel().sessionContext.session?.kernel;
  },

  // The notebook is loaded and its kernel has nothing to do.
  idle() {
    const panel = globalThis.jupyterapp?.shell && this.panel();
    if (!panel?.context.isReady) return false;
    const kernel = this.kernel();
    const waiting = panel.content.widgets.some((cell) => cell.prompt === "*");
    return kernel?.connectionStatus === "connected" && kernel.status === "idle" && !waiting;
  },

  // Shows what the notebook's file holds now.
  async revert() {
    await this.panel().context.revert();
  },

  command(name, args) {
    return globalThis.jupyterapp.commands.execute(name, args);
  },

  // Starts the command without waiting for it: finished() tells when it ended.
  start(name) {
    this.running = this.command(name).finally(() => {
      this.running = undefined;
    });
  },

  finished() {
    return !this.running && this.idle();
  },

  select(index) {
    const { content } = this.panel();
    content.activeCellIndex = index;
    content.deselectAll();
  },

  async evaluate(expression) {
    const asked = this.kernel().requestExecute({
      code: "",
      silent: true,
      store_history: false,
      user_expressions: { value: expression },
    });
    const late = new Promise((_, fail) => {
      setTimeout(() => fail(Error(`no answer to ${expression}`)), 60_000);
    });
    const { status, data, ename, evalue } = (await Promise.race([asked.done, late])).content
      .user_expressions.value;
    return status === "ok" ? { text: data["text/plain"] } : { error: `${ename}: ${evalue}` };
  },

  async restart() {
    await this.kernel().restart();
  },

  async interrupt() {
    await this.kernel().interrupt();
  },

  async shutdown() {
    await this.panel()?.sessionContext.shutdown();
  },

  cellErrors() {
    return [...this.panel().content.model.cells].flatMap((cell, index) =>
      (cell.type === "code" ? cell.outputs.toJSON() : [])
        .filter((output) => output.output_type === "error")
        .map((output) => `cell ${index}: ${output.ename}: ${output.evalue}`),
    );
  },
};
