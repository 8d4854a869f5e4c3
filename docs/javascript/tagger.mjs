// An exported tagger in JavaScript: texts in, entities out, as `rnnlp predict` gives them.
//
//   npm install onnxruntime-node
//   node tagger.mjs EXPORTED "Barack Obama visited Berlin." "张伟去年加入了华为公司。"
//
// In a browser take onnxruntime-web, and `fetch` in place of `readFileSync`. Scores of entities are
// left out: they need the sums over all tag sequences (rnnlp/models/tagging/paths.py).

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";

const UNK = 1;
const LONGEST = 24; // characters of a word that are looked at: its head and its tail
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

/** One vocabulary: a `tokenizer.json` of level word or character. */
class Vocabulary {
  constructor(file) {
    const content = JSON.parse(readFileSync(file, "utf8"));
    this.ids = new Map(Object.entries(content.model.vocab).filter(([, id]) => id > 3));
    this.steps = content.normalizer.normalizers;
    const pattern = content.pre_tokenizer.pattern.Regex;
    // Words are told by a pattern of Oniguruma: see `splitWords`. Graphemes are those of Unicode.
    this.words = pattern.includes("https?");
  }

  id(token) {
    for (const step of this.steps) {
      if (step.type === "NFC") token = token.normalize("NFC");
      else if (step.type === "Lowercase") token = token.toLowerCase();
      else token = token.replace(/\p{Nd}/gu, "0");
    }
    return this.ids.get(token) ?? UNK;
  }
}

function splitCharacters(text) {
  return Array.from(graphemes.segment(text), ({ segment, index }) => [index, segment]);
}

// The pattern of words, without what is rare (keycaps, dotted initials, invisible marks).
const ALONE = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー`;
const LETTER = String.raw`[[\p{L}\p{N}_]--[${ALONE}]]\p{M}*`;
const CLITIC = String.raw`['’](?:[sS]|[mM]|[dD]|[rR][eE]|[vV][eE]|[lL][lL])(?![\p{L}\p{N}])`;
const NOT = String.raw`[nN]['’][tT](?![\p{L}\p{N}])`;
const WORDS = new RegExp(
  [
    String.raw`(?:[hH][tT][tT][pP][sS]?:\/\/|[wW][wW][wW]\.)[!-~]*[A-Za-z0-9\/]`,
    String.raw`[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})+`,
    `[@#](?:${LETTER})+`,
    String.raw`\p{Nd}+(?:[.,:]\p{Nd}+)+`,
    String.raw`(?:\p{Lu}\.){2,}|(?:Mrs?|Ms|Dr|Prof|St|Jr|Sr)\.(?!${LETTER})`,
    `${NOT}|${CLITIC}`,
    `(?:${LETTER})+?(?=${NOT})`,
    `(?:${LETTER})+(?:(?!${CLITIC})['’](?:${LETTER})+)*`,
    String.raw`[${ALONE}]\p{M}*`,
    String.raw`\.{2,}|-{2,}`,
    String.raw`[^\s\p{Z}\p{Cc}\p{Cf}]\p{M}*`,
  ].join("|"),
  "gv",
);

function splitWords(text) {
  return Array.from(text.matchAll(WORDS), (match) => [match.index, match[0]]);
}

/** What is told of a token besides which one it is. */
const attributes = {
  bigram: (tokens) => tokens.map((token, at) => (at ? tokens[at - 1] : "\u2402") + token),
  shape: (tokens) =>
    tokens.map((token) => {
      const letters = Array.from(token, (c) =>
        /\p{Nd}/u.test(c) ? "d" : /\p{Lu}/u.test(c) ? "X" : /\p{Ll}/u.test(c) ? "x" : /\p{L}/u.test(c) ? "c" : c,
      ).join("");
      const short = letters.replace(/(.)\1{2,}/gsu, "$1$1");
      return Array.from(short).slice(0, 8).join("");
    }),
  prefix: (tokens) => tokens.map((token) => Array.from(token).slice(0, 3).join("").toLowerCase()),
  suffix: (tokens) => tokens.map((token) => Array.from(token).slice(-3).join("").toLowerCase()),
};

export class Tagger {
  static async load(folder) {
    const tagger = new Tagger();
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    if (config.task !== "tagging") throw new Error(`${folder} is a model for ${config.task}`);
    tagger.tags = config.model.tags;
    tagger.tokens = new Vocabulary(join(folder, "tokenizer.json"));
    const optional = (name) => {
      const file = join(folder, `${name}.json`);
      return existsSync(file) ? new Vocabulary(file) : null;
    };
    tagger.characters = optional("characters");
    tagger.features = Object.keys(attributes)
      .map((name) => [attributes[name], optional(name)])
      .filter(([, vocabulary]) => vocabulary);
    tagger.session = await ort.InferenceSession.create(join(folder, "model.onnx"));
    return tagger;
  }

  /** `{text, entities: [{entity_group, word, start, end}]}`; places count UTF-16 units here. */
  async predict(text) {
    const split = this.tokens.words ? splitWords(text) : splitCharacters(text);
    if (!split.length) return { text, entities: [] };
    const tags = await this.tag(split.map(([, token]) => token));
    const entities = spans(tags).map(({ type, first, last }) => {
      const [start, end] = [split[first][0], split[last][0] + split[last][1].length];
      return { entity_group: type, word: text.slice(start, end), start, end };
    });
    return { text, entities };
  }

  async tag(tokens) {
    const time = tokens.length;
    const feeds = {
      tokens: ids(tokens.map((token) => this.tokens.id(token)), [1, time]),
      lengths: ids([time], [1]),
    };
    if (this.characters) {
      const rows = tokens.map((token) => {
        const row = splitCharacters(token).map(([, one]) => this.characters.id(one));
        return row.length > LONGEST ? [...row.slice(0, LONGEST / 2), ...row.slice(-LONGEST / 2)] : row;
      });
      const width = Math.max(...rows.map((row) => row.length));
      const padded = rows.flatMap((row) => [...row, ...Array(width - row.length).fill(0)]);
      feeds.characters = ids(padded, [1, time, width]);
    }
    if (this.features.length) {
      const columns = this.features.map(([of, known]) => of(tokens).map((value) => known.id(value)));
      const flat = tokens.flatMap((_, at) => columns.map((column) => column[at]));
      feeds.token_features = ids(flat, [1, time, columns.length]);
    }
    for (const { name, shape } of this.session.inputMetadata) {
      if (name in feeds) continue; // a model of one direction begins with zeros
      const sizes = shape.map((size) => (typeof size === "string" ? 1 : size));
      const zeros = new Float32Array(sizes.reduce((a, b) => a * b));
      feeds[name] = new ort.Tensor("float32", zeros, sizes);
    }
    return viterbi(await this.session.run(feeds), time, this.tags);
  }
}

function ids(values, shape) {
  return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), shape);
}

/** The best legal tags: -Infinity among the transitions forbids. */
function viterbi(outputs, time, tags) {
  const [emissions, steps, start, end] = [
    "emissions", "transitions", "start_transitions", "end_transitions",
  ].map((name) => outputs[name].data);
  const size = tags.length;
  let best = Array.from(tags, (_, to) => start[to] + emissions[to]);
  const back = [];
  for (let t = 1; t < time; t++) {
    const from = tags.map((_, to) => {
      let winner = 0;
      for (let i = 1; i < size; i++) {
        if (best[i] + steps[i * size + to] > best[winner] + steps[winner * size + to]) winner = i;
      }
      return winner;
    });
    best = from.map((i, to) => best[i] + steps[i * size + to] + emissions[t * size + to]);
    back.push(from);
  }
  const total = best.map((score, tag) => score + end[tag]);
  const path = [total.indexOf(Math.max(...total))];
  for (let t = back.length - 1; t >= 0; t--) path.unshift(back[t][path[0]]);
  return path.map((tag) => tags[tag]);
}

/** Entities of tags in BIOES, which decoding makes whole. */
function spans(tags) {
  const found = [];
  let first = 0;
  tags.forEach((tag, at) => {
    const [letter, type] = [tag[0], tag.slice(2)];
    if (letter === "B" || letter === "S") first = at;
    if (letter === "E" || letter === "S") found.push({ type, first, last: at });
  });
  return found;
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].split("/").pop())) {
  const [folder, ...texts] = process.argv.slice(2);
  const tagger = await Tagger.load(folder);
  for (const text of texts) console.log(JSON.stringify(await tagger.predict(text)));
}
