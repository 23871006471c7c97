/** Names, labels and keys have fewer words; the shortest text of the golden set has seven. */
const fewest = 6;
const longestWord = 40;
/** Letters, then digits too, with signs around them: no number, address, path or code. */
const spaced = /^[^\p{L}\p{N}]*\p{L}[\p{L}\p{M}\p{N}'’-]*[^\p{L}\p{N}]*$/u;
/** Of scripts that leave no space between words, two characters are about one. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]{2}/gu;

/** Whether a line of the text is running text, of six words or more: what has less says too little to be found by meaning. */
export const hasProse = (text: string): boolean => text.split('\n').some(isProse);

function isProse(line: string): boolean {
  let count = 0;
  for (const [word] of line.matchAll(/\S+/g)) {
    count += wordsIn(word);
    if (count >= fewest) return true;
  }
  return false;
}

const wordsIn = (word: string) =>
  word.match(unspaced)?.length ?? (word.length <= longestWord && spaced.test(word) ? 1 : 0);
