/** A gauge that costs nothing until somebody asks for it: only then those who know the values are asked. */
import { Gauge, type Registry } from "prom-client";

export type SetGauge<Label extends string> = (labels: Readonly<Record<Label, string>>, value: number) => void;
type Sample<Label extends string> = (set: SetGauge<Label>) => void;

export class SampledGauge<Label extends string> {
  readonly #samplers = new Set<Sample<Label>>();

  constructor(registry: Registry, name: string, help: string, labelNames: readonly Label[]) {
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect: () => {
        gauge.reset(); // what nobody tells of any more is gone
        for (const sample of this.#samplers) sample((labels, value) => gauge.set(labels, value));
      },
    });
  }

  /** Asks this one too, until the function that it gives is called. */
  onCollect(sample: Sample<Label>): () => void {
    this.#samplers.add(sample);
    return () => {
      this.#samplers.delete(sample);
    };
  }
}
