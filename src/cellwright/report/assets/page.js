"use strict";
(() => {
  const PRINTED = 680; // CSS pixels between the margins of an A4 page
  const specs = JSON.parse(document.getElementById("plots").textContent);
  const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const text = (value) => {
    if (value == null || !Number.isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
      const [mantissa, power] = value.toExponential(3).split("e");
      return `${Number(mantissa)}e${Number(power)}`;
    }
    return String(Number(value.toPrecision(5)));
  };

  const dots = { paths: () => null, points: { show: true, size: 5, width: 0, space: 0 } };
  const styles = {
    data: (count) => (count <= 500 ? { ...dots, colour: "data" } : { colour: "data", width: count > 2000 ? 1.75 : 2.5, points: { show: false } }),
    initial: () => ({ colour: "initial", width: 1, points: { show: false } }),
    fitted: (count) => ({ colour: "fitted", width: count > 2000 ? 1 : 1.5, points: { show: false } }),
    tried: () => ({ ...dots, colour: "initial" }),
    best: () => ({ colour: "best", width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }),
    curve: () => ({ colour: "best", width: 2, points: { show: false } }),
    chain: (_, index) => ({ colour: ["best", "fitted", "data", "initial"][index % 4], width: 0.75, points: { show: false } }),
  };

  const series = (line, index) => {
    const { colour: name, points, ...style } = styles[line.role](line.values.length, index);
    const stroke = colour(name);
    return { label: line.label, stroke, show: !line.hidden, value: (_, value) => text(value), points: { ...points, stroke, fill: stroke }, ...style };
  };

  const axis = (label, more) => ({
    label,
    labelSize: 20,
    labelFont: "12px system-ui, sans-serif",
    font: "11px system-ui, sans-serif",
    labelGap: 2,
    stroke: colour("quiet"),
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 5 },
    values: (_, splits) => splits.map((value) => (value == null ? "" : text(value))),
    ...more,
  });

  const level = (plot) => {
    const { ctx, bbox } = plot;
    const y = Math.round(plot.valToPos(0, "y", true)) + 0.5;
    if (y < bbox.top || y > bbox.top + bbox.height) return;
    ctx.save();
    ctx.strokeStyle = colour("quiet")();
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  };

  const move = (plot, event) => {
    const { min, max } = plot.scales.x;
    const width = plot.over.clientWidth;
    const drag = (next) => {
      const shift = ((event.clientX - next.clientX) / width) * (max - min);
      plot.setScale("x", { min: min + shift, max: max + shift });
    };
    const drop = () => {
      document.removeEventListener("mousemove", drag);
      document.removeEventListener("mouseup", drop);
    };
    document.addEventListener("mousemove", drag);
    document.addEventListener("mouseup", drop);
  };

  // A spectrum in the plane of complex numbers: an ohm is as long upward as it is to the right.
  const locus = (role) => (plot, index) => {
    const { ctx, bbox } = plot;
    const [xs, ys] = plot.data[index];
    const stroke = colour(role)();
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = ctx.fillStyle = stroke;
    ctx.lineWidth = (role === "initial" ? 1 : 1.5) * devicePixelRatio;
    ctx.beginPath();
    xs.forEach((value, place) => {
      const [x, y] = [plot.valToPos(value, "x", true), plot.valToPos(ys[place], "y", true)];
      if (role !== "data") return place ? ctx.lineTo(x, y) : ctx.moveTo(x, y);
      ctx.moveTo(x, y);
      ctx.arc(x, y, 2.5 * devicePixelRatio, 0, 2 * Math.PI);
    });
    role === "data" ? ctx.fill() : ctx.stroke();
    ctx.restore();
    return null;
  };

  const span = (loci, axis) => {
    const values = loci.flatMap((line) => line[axis]);
    const [low, high] = [Math.min(...values, axis === "y" ? 0 : Infinity), Math.max(...values)];
    return { middle: (low + high) / 2, size: 1.08 * (high - low) || 1 };
  };

  const drawNyquist = (spec, holder, legends, width) => {
    const [x, y] = [span(spec.loci, "x"), span(spec.loci, "y")];
    const height = 50 + Math.min(Math.max((width - 90) * (y.size / x.size), 180), 420);
    const equal = (plot) => {
      const step = Math.max(x.size / plot.bbox.width, y.size / plot.bbox.height);
      const [right, up] = [(step * plot.bbox.width) / 2, (step * plot.bbox.height) / 2];
      plot.batch(() => {
        plot.setScale("x", { min: x.middle - right, max: x.middle + right });
        plot.setScale("y", { min: y.middle - up, max: y.middle + up });
      });
    };
    const facets = [{ scale: "x", auto: true }, { scale: "y", auto: true }];
    const shown = spec.loci.map(({ label, role }) => ({ label, stroke: colour(role), facets, paths: locus(role), points: { show: false } }));
    const plot = new uPlot(
      {
        mode: 2,
        width,
        height,
        padding: [8, 22, 0, 0],
        scales: { x: { time: false }, y: {} },
        series: [{}, ...shown],
        axes: [axis(spec.x.label, { size: 32 }), axis(spec.y.label, { size: 56 })],
        cursor: { show: false },
        legend: { live: false, mount: (_, table) => legends.append(table) },
        hooks: { ready: [equal] },
      },
      [null, ...spec.loci.map((line) => [line.x, line.y])],
      holder,
    );
    return Object.assign(plot, { equal: () => equal(plot) });
  };

  const draw = (figure, printing) => {
    const spec = specs[figure.id];
    const [holder, legends] = [figure.querySelector(".panels"), figure.querySelector(".legends")];
    const width = printing ? (spec.small ? (PRINTED - 24) / 2 : PRINTED) : holder.clientWidth;
    figure.classList.toggle("plane", Boolean(spec.loci));
    if (spec.loci) return { plots: [drawNyquist(spec, holder, legends, width)], width };
    const plots = [];
    let following = false;
    const follow = (source, scale) => {
      if (scale !== "x" || following) return;
      following = true;
      const { min, max } = source.scales.x;
      for (const plot of plots) if (plot !== source) plot.setScale("x", { min, max });
      following = false;
    };
    spec.panels.forEach((panel, index) => {
      const last = index === spec.panels.length - 1;
      const heights = spec.small ? [190] : spec.panels.length > 1 ? [270, 170] : [240];
      plots.push(
        new uPlot(
          {
            width,
            height: heights[index],
            padding: [8, 22, last ? 0 : 6, 0],
            scales: { x: { time: false, distr: spec.x.log ? 3 : 1 }, y: { distr: panel.log ? 3 : 1 } },
            series: [{ label: spec.x.label, value: (_, value) => text(value) }, ...panel.lines.map(series)],
            axes: [
              axis(last ? spec.x.label : undefined, last ? { size: 32 } : { size: 8, values: (_, splits) => splits.map(() => "") }),
              axis(panel.label, { size: 56 }),
            ],
            cursor: {
              sync: { key: figure.id },
              drag: { x: true, y: false },
              bind: {
                mousedown: (plot, _, handler) => (event) => (event.button === 0 && event.shiftKey ? move(plot, event) : handler(event)),
              },
            },
            legend: { mount: (_, table) => legends.append(table) },
            hooks: { setScale: [follow], drawAxes: panel.zero ? [level] : [] },
          },
          [spec.x.values, ...panel.lines.map((line) => line.values)],
          holder,
        ),
      );
    });
    return { plots, width };
  };

  const figures = [...document.querySelectorAll("[data-plot]")];
  const drawn = new Map();
  const drawAll = (printing = false) => {
    for (const figure of figures) {
      for (const plot of drawn.get(figure)?.plots ?? []) plot.destroy();
      figure.querySelector(".legends").replaceChildren();
      drawn.set(figure, draw(figure, printing));
    }
  };
  const fit = () => {
    for (const [figure, state] of drawn) {
      const width = figure.querySelector(".panels").clientWidth;
      if (width === state.width || width === 0) continue;
      state.width = width;
      for (const plot of state.plots) {
        plot.setSize({ width, height: plot.height });
        plot.equal?.();
      }
    }
  };

  drawAll();
  let printing = false;
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => printing || fit());
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => printing || drawAll());
  addEventListener("beforeprint", () => {
    printing = true;
    document.documentElement.dataset.print = "";
    drawAll(true);
  });
  addEventListener("afterprint", () => {
    printing = false;
    delete document.documentElement.dataset.print;
    drawAll();
  });

  const find = document.getElementById("find");
  find?.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...document.querySelectorAll("#parameter-table tbody tr")];
    for (const row of rows) {
      const said = `${row.dataset.find} ${row.textContent}`.toLowerCase();
      row.hidden = !words.every((word) => said.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    document.getElementById("found").textContent = words.length ? `${shown} of ${rows.length}` : "";
  });

  const sort = (table, column, ascending) => {
    const key = (row) => {
      const cell = row.cells[column];
      return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
    };
    const compare = (a, b) =>
      typeof a === typeof b ? (typeof a === "number" ? a - b : a.localeCompare(b)) : typeof a === "number" ? -1 : 1;
    const rows = [...table.tBodies[0].rows].sort((a, b) => compare(key(a), key(b)) * (ascending ? 1 : -1));
    table.tBodies[0].append(...rows);
  };
  for (const table of document.querySelectorAll("[data-sortable]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.classList.add("sortable");
      head.tabIndex = 0;
      const choose = () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sort(table, column, ascending);
      };
      head.addEventListener("click", choose);
      head.addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), choose()));
    });
  }
})();
