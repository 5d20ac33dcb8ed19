/** Lines over time, by uPlot, in the page's colours. It is loaded when the first chart is drawn. */

import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";

export interface Line {
  label: string;
  colour: string;
}

const HEIGHT = 130;

export function Chart({ lines, data, range, label }: {
  lines: readonly Line[];
  /** Seconds (negative: ago), then the values of each line. */
  data: uPlot.AlignedData;
  range: [number, number];
  label: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(data);
  newest.current = data;
  useEffect(() => {
    const box = place.current;
    if (box === null) return undefined;
    let gone = false;
    let sizes: ResizeObserver | null = null;
    void import("./plot.ts").then(({ draw }) => {
      if (gone) return;
      plot.current = draw(box, lines, range, newest.current, HEIGHT);
      sizes = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: HEIGHT }));
      sizes.observe(box);
    });
    return () => {
      gone = true;
      sizes?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}
