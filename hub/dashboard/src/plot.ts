import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Line } from "./chart.tsx";

/** A chart in `box`; times are seconds, negative ones ago. */
export function draw(
  box: HTMLElement, lines: readonly Line[], range: [number, number], data: uPlot.AlignedData, height: number,
): uPlot {
  const style = getComputedStyle(box);
  const axis: uPlot.Axis = {
    stroke: style.color,
    grid: { stroke: style.borderColor, width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
    size: 30,
  };
  return new uPlot(
    {
      width: box.clientWidth,
      height,
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false, range: [-60, 0] }, y: { range } },
      axes: [{ ...axis, values: (_, at) => at.map((s) => `${s} s`) }, axis],
      series: [{}, ...lines.map((line) => ({ label: line.label, stroke: line.colour, width: 2, points: { show: false } }))],
    },
    data,
    box,
  );
}
