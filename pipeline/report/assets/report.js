// The table of all rows. Texts reach the page as text nodes alone; the rows are JSON, gzipped, in base64.
"use strict";
(async () => {
  const FILTERS = ["status", "reason", "evidence", "dialect"];
  const NONE = "-";
  const PRINTED_IN_FULL = 1000;
  const form = document.getElementById("filters");
  const loading = document.getElementById("loading");
  loading.textContent = "Reading the rows…";

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  const { columns, rows, meanings } = await unpack(document.getElementById("rows").textContent);
  const at = Object.fromEntries(columns.map((name, index) => [name, index]));
  const value = (row, name) => row[at[name]] ?? "";

  // Making elements

  function make(tag, content = [], attributes = {}) {
    const element = document.createElement(tag);
    for (const [name, text] of Object.entries(attributes)) element.setAttribute(name, text);
    element.append(...[content].flat());
    return element;
  }

  const table = (headings, lines, attributes = {}) =>
    make("table", [
      make("thead", make("tr", headings.map((text) => make("th", text, { scope: "col" })))),
      make("tbody", lines.map((cells) => make("tr", cells.map((cell) => make("td", cell))))),
    ], attributes);

  // Figures, as the page's own are written

  const number = (x) => (x === "inf" ? Infinity : x === "" || x === null ? NaN : Number(x));
  const digits = (x) => (x && Math.abs(x) < 1e-3 ? x.toExponential(2) : String(Number(x.toPrecision(3))));
  const figure = (x) => (Number.isNaN(number(x)) ? "" : number(x) === Infinity ? "∞" : digits(number(x)));
  const share = (x) => (Number.isNaN(number(x)) ? "" : number(x) === Infinity ? "∞" : `${Number((100 * x).toPrecision(2))} %`);
  const seconds = (x) => (x === "" ? "" : `${digits(number(x))} s`);
  const bytes = (x) => {
    if (!number(x)) return "";
    const power = Math.min(Math.floor(Math.log10(x) / 3), 5);
    return `${digits(x / 1000 ** power)} ${["B", "kB", "MB", "GB", "TB", "PB"][power]}`;
  };
  const grouped = (x) => (x === "" ? "" : Number(x).toLocaleString("en"));
  const lines = (x) => (x || []).join("; ");
  const plain = (x) => (typeof x === "object" ? JSON.stringify(x) : String(x));

  // A row's whole story

  const SECTIONS = {
    Evidence: {
      evidence: "Compared with", samples: "Sample rows", max_abs_error: "Largest absolute error",
      max_rel_error: "Largest relative error", tolerance_used: "Share of the tolerance used",
      reference_max_abs_error: "Absolute error against the reference", rtol: "rtol", atol: "atol",
    },
    Source: {
      source: "File", source_bytes: "Size", source_sha256: "SHA-256", keras_version: "Keras version", backend: "Backend",
      dialect: "Written by", parameters: "Parameters", architecture: "Architecture", line: "Line of the manifest",
    },
    Output: { output: "Folder", output_bytes: "Size", output_sha256: "SHA-256", template_reused: "Graph of an earlier model reused", tensorflow_min: "Loads from TensorFlow" },
    Signature: { signature_inputs: "Inputs", signature_outputs: "Outputs" },
    Run: {
      run_id: "Run", finished_at: "Finished", seconds: "Conversion took", h5ferry_version: "h5ferry",
      tensorflow_version: "TensorFlow",
    },
  };
  const TOLD = new Set([
    ...Object.values(SECTIONS).flatMap(Object.keys),
    "model", "version", "status", "reason", "message", "rewrites", "warnings", "assumptions", "redo",
  ]);
  const FORMATS = {
    max_abs_error: figure, max_rel_error: figure, reference_max_abs_error: figure, rtol: figure, atol: figure,
    tolerance_used: share, source_bytes: (x) => x && `${bytes(x)} (${grouped(x)} bytes)`,
    output_bytes: (x) => x && `${bytes(x)} (${grouped(x)} bytes)`, parameters: (x) => x && grouped(x), seconds,
    signature_inputs: lines, signature_outputs: lines, samples: (x) => x && grouped(x), template_reused: (x) => (x ? "yes" : ""),
    evidence: (x) => (meanings.evidence[x] ? `${x || "nothing"}: ${meanings.evidence[x]}` : x),
  };

  function facts(row, labels) {
    const pairs = Object.entries(labels)
      .map(([name, label]) => [label, plain((FORMATS[name] ?? ((x) => x))(value(row, name)))])
      .filter(([, text]) => text !== "" && text !== "0");
    return make("dl", pairs.flatMap(([label, text]) => [make("dt", label), make("dd", text)]));
  }

  function story(row) {
    const told = [];
    const tell = (title, ...content) => told.push(make("section", [make("h3", title), ...content]));
    const [status, reason] = [value(row, "status"), value(row, "reason")];
    tell("What happened",
      make("p", [make("b", status), `: ${meanings.status[status] ?? ""}.`]),
      ...(reason ? [make("p", [make("b", reason), `: ${meanings.reason[reason] ?? "no reason known to this version"}.`])] : []),
      ...(value(row, "message") ? [make("p", value(row, "message"))] : []));
    const rewrites = value(row, "rewrites") || [];
    if (rewrites.length) {
      const lines = rewrites.map(([layer, rule, detail]) => [layer, make("code", rule), meanings.rewrites[rule] ?? "", detail]);
      tell("Rewrites, layer by layer", table(["Layer", "Rewrite", "What it does", "Here"], lines, { class: "plain" }));
    }
    const assumptions = value(row, "assumptions") || [];
    if (assumptions.length) {
      tell("Assumed, which the file does not say", make("ul", assumptions.map((text) => make("li", text))));
    }
    const warnings = value(row, "warnings") || [];
    if (warnings.length) tell("Warnings", make("ul", warnings.map((text) => make("li", text))));
    for (const [title, labels] of Object.entries(SECTIONS)) {
      const list = facts(row, labels);
      if (list.children.length) tell(title, list);
    }
    const others = columns.filter((name) => !TOLD.has(name));
    const rest = facts(row, Object.fromEntries(others.map((name) => [name, name])));
    if (rest.children.length) tell("Also in the report", rest);
    if (value(row, "redo")) {
      tell("Do it again", make("p", "On the same source; a source that has changed since is refused."),
        make("pre", value(row, "redo"), { tabindex: "0", "aria-label": "Commands that do this row again" }));
    }
    if (value(row, "output_sha256")) {
      tell("Check what was published", make("pre", `h5ferry verify ${quoted(value(row, "output"))}`,
        { tabindex: "0", "aria-label": "Command that checks the output" }));
    }
    return make("div", told, { class: "story" });
  }

  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

  // The table

  const identity = (row) => String(value(row, "line"));
  const name = (row) => `${value(row, "model")}/${value(row, "version")}`;
  const columnOf = (title, key, show, type = "string", options = {}) => ({
    title, type, searchable: false, ...options,
    data: null,
    render: (_, purpose, row) => (purpose === "display" ? show(row) : key(row)),
  });
  const text = (title, column) =>
    columnOf(title, (row) => value(row, column), (row) => document.createTextNode(value(row, column)));
  const amount = (title, column, format) =>
    columnOf(title, (row) => { const x = number(value(row, column)); return Number.isNaN(x) ? -1 : x; },
      (row) => document.createTextNode(format(value(row, column))), "num", { className: "number" });

  function opener(row) {
    const button = make("button", name(row), { type: "button", class: "open", "aria-expanded": "false" });
    button.addEventListener("click", () => toggle(button.closest("tr")));
    return button;
  }

  const grid = new DataTable("#all-rows", {
    data: rows,
    columns: [
      columnOf("Model", name, opener),
      columnOf("Status", (row) => value(row, "status"),
        (row) => make("span", value(row, "status"), { class: `tag ${value(row, "status").replace(/\W/g, "")}` })),
      text("Reason", "reason"),
      text("Evidence", "evidence"),
      text("Written by", "dialect"),
      amount("Of tolerance", "tolerance_used", share),
      amount("Absolute error", "max_abs_error", figure),
      amount("Seconds", "seconds", (x) => figure(x)),
      amount("Source", "source_bytes", bytes),
    ],
    order: [], autoWidth: false, deferRender: true, orderClasses: false, pageLength: 25, lengthMenu: [25, 50, 100, 500],
    layout: { topStart: "info", topEnd: null, bottomStart: "pageLength", bottomEnd: "paging" },
    language: {
      info: "Rows _START_ to _END_ of _TOTAL_", infoEmpty: "No rows", infoFiltered: "(of _MAX_ in all)",
      emptyTable: "The report has no rows.", zeroRecords: "No row fits. Clear the search and the filters to see all.",
      lengthMenu: "_MENU_ rows a page", paginate: { first: "First", previous: "Previous", next: "Next", last: "Last" },
      aria: { paginate: { first: "First page", previous: "Previous page", next: "Next page", last: "Last page", number: "Page " } },
    },
  });

  function toggle(line, open) {
    const row = grid.row(line);
    const shown = open ?? !row.child.isShown();
    if (shown) row.child(story(row.data()), "story-cell").show();
    else row.child.hide();
    line.querySelector("button.open").setAttribute("aria-expanded", String(shown));
  }

  // Search, filters and the page's address, which keep in step

  const haystacks = new Map();
  function haystack(row, index) {
    if (!haystacks.has(index)) haystacks.set(index, JSON.stringify(row).toLowerCase());
    return haystacks.get(index);
  }

  function apply() {
    const wanted = FILTERS.map((column) => [column, form.elements[column].value]).filter(([, choice]) => choice);
    const words = form.elements.search.value.toLowerCase().split(/\s+/).filter(Boolean)
      .map((word) => JSON.stringify(word).slice(1, -1));
    grid.search.fixed("page", (_, row, index) =>
      wanted.every(([column, choice]) => value(row, column) === (choice === NONE ? "" : choice)) &&
      words.every((word) => haystack(row, index).includes(word)));
    grid.draw();
  }

  function remember() {
    const state = new URLSearchParams([...new FormData(form)].filter(([, choice]) => choice));
    history.replaceState(null, "", `#${state}`);
    apply();
  }

  function follow() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (![...state.keys()].some((key) => FILTERS.includes(key) || key === "search" || key === "row")) return;
    for (const element of form.elements) if (element.name) element.value = "";
    for (const [key, choice] of state) if (form.elements[key]) form.elements[key].value = choice;
    apply();
    if (state.has("row")) reveal(state.get("row"));
    else document.getElementById("table").focus();
  }

  function reveal(wanted) {
    const index = grid.rows({ search: "applied" }).indexes().toArray().findIndex((i) => identity(grid.row(i).data()) === wanted);
    if (index < 0) return;
    grid.page(Math.floor(index / grid.page.len())).draw("page");
    const line = grid.row(grid.rows({ search: "applied" }).indexes()[index]).node();
    toggle(line, true);
    line.querySelector("button.open").focus();
  }

  let waiting = 0;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(remember, 120); });
  for (const column of FILTERS) form.elements[column].addEventListener("change", remember);
  form.addEventListener("reset", () => setTimeout(remember));
  window.addEventListener("hashchange", follow);

  // On paper: all rows that fit the filters, unless they are too many

  let pageLength = 0;
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
    if (grid.page.info().recordsDisplay > PRINTED_IN_FULL || pageLength) return;
    pageLength = grid.page.len();
    grid.page.len(-1).draw("page");
  });
  window.addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    if (pageLength) grid.page.len(pageLength).draw("page");
    pageLength = 0;
  });

  loading.textContent = "";
  form.hidden = false;
  document.getElementById("all-rows").hidden = false;
  document.documentElement.dataset.ready = "";
  follow();
})().catch((error) => {
  document.getElementById("loading").textContent = `The table cannot be shown: ${error.message}`;
  throw error;
});
