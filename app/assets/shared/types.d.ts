// The shapes that the scripts hand to each other.

declare global {
  interface Window {
    Plotly?: any; // set by its script
  }
  interface HTMLElement {
    stop?: () => void; // a lesson's unit that plays something ends it
    stepper?: { next: () => void; back: () => void }; // … or goes through it step by step
    replay?: () => void; // … or plays it from its start
  }
  var katex: any; // set by its script
}

/** What Python decides (app/facts.py). */
export interface Facts {
  max_steps: number;
  first_lesson: string;
  max_seed: number;
  most_compared: number;
  methods: { [name: string]: MethodFacts };
  gpt2: {
    ended: string[];
    models: { [name: string]: string };
    dtypes: string[];
    methods: string[];
    max_steps: number;
    devices: string[];
    optimizers: string[];
    max_batch: number;
    max_seed: number;
  };
}

/** What a method declares, as a page needs it. */
export interface MethodFacts {
  title: string;
  term: string;
  asks: string;
  draws: boolean; // whether what it does depends on the seed
  settings: Setting[];
  readings: { key: string; label: string; symbol: string; zero: boolean }[];
}

/** A setting as it is drawn. */
export interface Setting {
  key: string;
  term?: string;
  label: string;
  name?: string; // what a screen reader says instead of the label
  scale: "log" | "linear" | "whole" | "switch" | "choice";
  low?: number;
  high?: number;
  default?: any; // of the method that declares it
  choices?: string[]; // the words to choose from
}

/** What a setting is bound to. */
export interface InForce {
  value: () => any;
  change: (value: any) => void;
  live?: () => boolean; // whether it changes while it is dragged
  waiting?: () => boolean; // whether a change is under way, so that what is shown is newer than what is in force
  complain?: (text: string) => void;
}

/** One prompt of a scenario. */
export interface Prompt {
  text: string;
  replies: string[];
  reference: number[];
  reward?: number[];
  features?: number[][];
}

/** What is in force from ``start`` on. A comparison is [prompt, chosen, rejected, agreement]. */
export interface Segment {
  start: number;
  comparisons: [prompt: number, chosen: number, rejected: number, agreement: number][];
  rankings: [prompt: number, order: number[]][];
  thumbs: [prompt: number, reply: number, up: boolean][];
  objective: { name: string; [setting: string]: any };
  acting: string; // the method at work: the reward model while a reward is learned for another
  rule: [unanimous: string[], divided: string[]];
  levels: { [metric: string]: [value: number, label: string] };
  learning_rate: number;
  optimum: number[] | null;
}

/** Where a run ends, by metric. */
export type Ends = { [metric: string]: number | null };

/** A run of the Playground, as decoded from the server's bytes. */
export interface Run {
  acknowledged: Record<string, number>;
  session: string; // of the server: another one after a server was lost
  world: number;
  preset: string | null;
  steps: number;
  seed: number;
  step: number;
  columns: string[];
  segments: Segment[];
  ceilings: number[];
  ceiling: number;
  interventions: { step: number; [change: string]: any }[];
  log: [step: number, text: string][];
  link: string;
  notice: { kind: string; text: string; where?: string } | null;
  download: { name: string; text: string } | null;
  qr: string | null;
  ends: Ends;
  others: { name: string; columns: string[]; steps: number; ends: Ends; rows: Map<string, Float32Array> }[];
  rows: Map<string, Float32Array>;
  prompts: Prompt[];
  reference: number[];
  starts: number[];
  at: (name: string, step: number) => number | undefined;
  segmentAt: (step: number) => Segment;
}

/** A part of a page: an element that follows the data, and on the Playground the playhead. */
export interface Part {
  root: HTMLElement;
  update: (run?: Run, fresh?: boolean) => void;
  seek?: (step: number) => void;
  destroy?: () => void;
}

export type Player = import("../playground/player.js").Player;
export type Page = import("../gpt2/gpt2.js").Page;
export type Surface = import("../gpt2/surface.js").Surface;
export type Record = import("../gpt2/record.js").Record;
